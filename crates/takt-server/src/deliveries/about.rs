//! The documentation of a connection, generated: what its file says and what was really seen of it.
//! Lives here: the facts with their headings, once for the console and the terminal.

use std::fmt;

use serde::Serialize;
use takt_interfaces::{ConnectionStatus, FUNCTIONS, InterfacesError, Outcome, Reconciliation, Seen};
use takt_model::{
    Connection, ConnectionOrigin, DataFlow, Deliver, OnDead, OnUnknown, Operation, OperationKind, Poll,
    Project, Protocol, Receive,
};
use takt_report::format;

use crate::{
    app::App,
    deliveries::{
        drift::{self, Shown},
        reconciled,
        words::{connection_name, connection_state, reason, say, span},
    },
};

/// A connection with everything that is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct About {
    pub(crate) id: String,
    /// What people call it.
    pub(crate) name: String,
    pub(crate) purpose: String,
    pub(crate) parts: Vec<Part>,
}

/// Facts under a heading, each with its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Part {
    pub(crate) heading: String,
    pub(crate) facts: Vec<(String, String)>,
}

/// Every connection.
pub(crate) fn all(app: &App, language: &str) -> Result<Vec<About>, InterfacesError> {
    let project = app.project();
    let statuses = app.interfaces.connections()?;
    statuses.iter().map(|s| known(app, &project, s, language)).collect()
}

/// One connection, if there is such a one.
pub(crate) fn one(app: &App, id: &str, language: &str) -> Result<Option<About>, InterfacesError> {
    let statuses = app.interfaces.connections()?;
    let Some(status) = statuses.iter().find(|s| s.id == id) else { return Ok(None) };
    known(app, &app.project(), status, language).map(Some)
}

/// What an operation does, in words.
pub(crate) fn operation(operation: &Operation, language: &str) -> String {
    let words = Words { language };
    match &operation.kind {
        OperationKind::Deliver(deliver) => words.deliver(deliver),
        OperationKind::Receive(receive) => words.receive(receive),
        OperationKind::Poll(poll) => words.poll(poll),
    }
}

/// Where a connection is written down: who wants to change it must know.
pub(crate) fn source(connection: &Connection, language: &str) -> String {
    let (english, german) = match connection.origin {
        ConnectionOrigin::File => return format!("interfaces/{}.toml", connection.id),
        ConnectionOrigin::Subscription { enabled: true } => {
            ("a subscription, made while the server ran", "ein Abonnement, im Betrieb angelegt")
        }
        ConnectionOrigin::Subscription { enabled: false } => (
            "a subscription, made while the server ran; it is off and gets nothing new",
            "ein Abonnement, im Betrieb angelegt; es ist abgeschaltet und bekommt nichts Neues",
        ),
    };
    say(language, english, german).to_owned()
}

fn known(
    app: &App,
    project: &Project,
    status: &ConnectionStatus,
    language: &str,
) -> Result<About, InterfacesError> {
    let last = app.interfaces.reconciliations(&status.id, 1)?.pop();
    let drifts = drift::all(app, Some(&status.id))?;
    Ok(about(project, status, &app.interfaces.seen(&status.id)?, last.as_ref(), &drifts, language))
}

fn about(
    project: &Project,
    status: &ConnectionStatus,
    seen: &Seen,
    last: Option<&Reconciliation>,
    drifts: &[Shown],
    language: &str,
) -> About {
    let words = Words { language };
    let mut parts = Vec::new();
    let mut purpose = String::new();
    if let Some(connection) = project.connection(&status.id) {
        purpose = connection.purpose.get(language).unwrap_or_default().to_owned();
        parts.extend([
            words.people(connection),
            words.outage(connection),
            words.leads(connection),
            words.data(&connection.data),
            words.operations(&connection.operations),
            words.agreed(connection),
            words.changed(project, drifts),
            words.part(
                "What is compared",
                "Was abgeglichen wird",
                reconciled::facts(project, connection, last, language),
            ),
        ]);
    } else if status.id == FUNCTIONS {
        let own = "Functions of this project that act on its events; nothing leaves the house.";
        let eigene =
            "Funktionen dieses Projekts, die auf seine Ereignisse hin arbeiten; nichts verlässt das Haus.";
        purpose = say(language, own, eigene).to_owned();
    }
    parts.push(words.seen(status, seen));
    parts.retain(|p| !p.facts.is_empty());
    let name = connection_name(project, &status.id, language).to_owned();
    About { id: status.id.clone(), name, purpose, parts }
}

impl fmt::Display for About {
    /// The form for a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} ({})", self.name, self.id)?;
        write!(f, "{}", self.purpose)?;
        for part in &self.parts {
            write!(f, "\n\n  {}", part.heading)?;
            for (name, fact) in &part.facts {
                write!(f, "\n    {name}: {fact}")?;
            }
        }
        Ok(())
    }
}

struct Words<'a> {
    language: &'a str,
}

impl Words<'_> {
    fn say<'t>(&self, english: &'t str, german: &'t str) -> &'t str {
        say(self.language, english, german)
    }

    fn part(&self, english: &str, german: &str, facts: Vec<(String, String)>) -> Part {
        Part { heading: self.say(english, german).to_owned(), facts }
    }

    fn fact(&self, english: &str, german: &str, value: impl Into<String>) -> (String, String) {
        (self.say(english, german).to_owned(), value.into())
    }

    fn people(&self, connection: &Connection) -> Part {
        let partner = &connection.partner;
        let unsaid = || self.say("not said", "nicht angegeben").to_owned();
        let or_unsaid = |text: &Option<String>| text.clone().unwrap_or_else(unsaid);
        let mut facts = vec![
            self.fact("Partner", "Partner", partner.names.get(self.language).unwrap_or(&partner.name)),
            self.fact("Contact", "Ansprechpartner", or_unsaid(&partner.contact)),
            self.fact("Who answers for it here", "Wer hier dafür einsteht", connection.owner.clone()),
            self.fact(
                "Agreement on data processing",
                "Vertrag zur Datenverarbeitung",
                or_unsaid(&partner.agreement),
            ),
        ];
        if let Some(country) = &partner.country {
            facts.push(self.fact("Country", "Land", country.clone()));
        }
        facts.push(self.fact("How it is reached", "Weg dorthin", self.way(connection)));
        if let Some(api) = &connection.connect.api {
            let end = api.end.map_or_else(String::new, |end| {
                format!(", {} {}", self.say("served until", "angeboten bis"), format::day(end, self.language))
            });
            facts.push(self.fact("Made for version", "Gemacht für Version", format!("{}{end}", api.version)));
        }
        if let Some(health) = &connection.health {
            let every = span(health.every, self.language);
            let request = format!("{} {}", health.request.method, health.request.path);
            let text = match self.language {
                "de" => format!("alle {every}: {request}"),
                _ => format!("every {every}: {request}"),
            };
            facts.push(self.fact(
                "How it is asked whether it is well",
                "Wie nach seinem Befinden gefragt wird",
                text,
            ));
        }
        if let Some(asked) = connection.reconcile.as_ref().and_then(|r| r.connect.as_ref()) {
            let (english, german) =
                ("Where they are asked for the comparison", "Wo für den Abgleich gefragt wird");
            facts.push(self.fact(english, german, asked.shown_address()));
        }
        facts.push(self.fact(
            "Where it is written down",
            "Wo sie beschrieben ist",
            source(connection, self.language),
        ));
        self.part("Who", "Wer", facts)
    }

    fn way(&self, connection: &Connection) -> String {
        let kind = match connection.connect.protocol {
            Protocol::Rest => "HTTP, JSON",
            Protocol::JsonRpc => "JSON-RPC",
            Protocol::WebhookOut => self.say("messages that we send", "Meldungen, die wir senden"),
            Protocol::WebhookIn => self.say("messages that come in", "Meldungen, die hereinkommen"),
            Protocol::Smtp => "E-Mail",
        };
        match connection.connect.shown_address().as_str() {
            "" => format!("{kind} (/hooks/v1/{})", connection.id),
            address => format!("{kind}, {address}"),
        }
    }

    fn outage(&self, connection: &Connection) -> Part {
        let words = connection.outage.words.get(self.language).unwrap_or_default();
        let mut facts = vec![self.fact("What then happens", "Was dann geschieht", words)];
        if let Some(max) = &connection.outage.max {
            facts.push(self.fact("Bearable for", "Erträglich für", max.clone()));
        }
        self.part("If it is down", "Wenn sie ausfällt", facts)
    }

    fn leads(&self, connection: &Connection) -> Part {
        let facts = connection.leads.iter().map(|(who, fields)| (who.clone(), fields.join(", "))).collect();
        self.part("Who decides about which fields", "Wer über welche Felder bestimmt", facts)
    }

    fn data(&self, flows: &[DataFlow]) -> Part {
        let none = || {
            let what = self
                .say("none; personal fields do not leave", "keine; persönliche Felder gehen nicht hinaus");
            vec![self.fact("Fields", "Felder", what)]
        };
        let facts: Vec<_> = flows.iter().map(|flow| (flow.fields.join(", "), self.flow(flow))).collect();
        let facts = if facts.is_empty() { none() } else { facts };
        self.part("Personal data that flows", "Persönliche Daten, die fließen", facts)
    }

    fn flow(&self, flow: &DataFlow) -> String {
        let said = [
            (self.say("purpose", "Zweck"), &flow.purpose),
            (self.say("basis", "Rechtsgrundlage"), &flow.basis),
            (self.say("kept there for", "dort aufbewahrt"), &flow.keep),
            (self.say("country", "Land"), &flow.country),
        ];
        let said = said.iter().filter_map(|(name, value)| Some(format!("{name}: {}", value.as_ref()?)));
        said.collect::<Vec<_>>().join("; ")
    }

    fn operations(&self, operations: &[Operation]) -> Part {
        let one = |o: &Operation| {
            let what = match &o.kind {
                OperationKind::Deliver(deliver) => self.deliver(deliver),
                OperationKind::Receive(receive) => self.receive(receive),
                OperationKind::Poll(poll) => self.poll(poll),
            };
            (o.name.clone(), what)
        };
        self.part("What is done over it", "Was darüber geschieht", operations.iter().map(one).collect())
    }

    fn agreed(&self, connection: &Connection) -> Part {
        let facts = drift::agreed(connection, self.language);
        self.part("What is agreed about messages", "Was über Nachrichten vereinbart ist", facts)
    }

    fn changed(&self, project: &Project, drifts: &[Shown]) -> Part {
        let one = |s: &Shown| {
            let what = drift::sentence(project, &s.drift, self.language);
            let seen = drift::seen(&s.drift, self.language);
            (drift::consequence(s, self.language).to_owned(), format!("{what} ({seen})"))
        };
        let facts = drifts.iter().map(one).collect();
        Part { heading: drift::heading(self.language).to_owned(), facts }
    }

    fn deliver(&self, deliver: &Deliver) -> String {
        let events = deliver.on.join(", ");
        let mut said = vec![format!("{} {events}", self.say("leaves on", "geht hinaus bei"))];
        if let Some(request) = &deliver.request {
            said.push(format!("{} {}", request.method, request.path));
        }
        if let Some(run) = &deliver.run {
            said.push(format!(
                "{} {}#{}",
                self.say("in calls by", "in Aufrufen durch"),
                run.file,
                run.export
            ));
        }
        if let Some(mail) = &deliver.mail {
            said.push(format!("{} {}", self.say("mail", "E-Mail"), mail.template));
        }
        said.push(match &deliver.lane {
            Some(lane) => format!("{} {lane}", self.say("one after the other for each", "nacheinander je")),
            None => self.say("in any order", "in beliebiger Reihenfolge").to_owned(),
        });
        let pauses: Vec<_> = deliver.retry.schedule.iter().map(|p| span(*p, self.language)).collect();
        said.push(format!(
            "{} {}",
            self.say("pauses between tries:", "Pausen zwischen Versuchen:"),
            pauses.join(", ")
        ));
        let give_up = span(deliver.retry.give_up, self.language);
        said.push(format!("{} {give_up}", self.say("tries go on for at most", "versucht wird es höchstens")));
        said.push(self.when_dead(deliver).to_owned());
        said.push(self.when_unknown(deliver).to_owned());
        said.join("; ")
    }

    fn poll(&self, poll: &Poll) -> String {
        let every = span(poll.every, self.language);
        let (file, export) = (&poll.run.file, &poll.run.export);
        format!("{} {every}, {file}#{export}", self.say("asked every", "gefragt wird alle"))
    }

    fn when_dead(&self, deliver: &Deliver) -> &'static str {
        match (deliver.retry.on_dead, deliver.lane.is_some()) {
            (OnDead::BlockLane, true) => say(
                self.language,
                "what comes behind a dead letter waits",
                "was hinter einer unzustellbaren kommt, wartet",
            ),
            (OnDead::BlockLane, false) | (OnDead::Skip, _) => say(
                self.language,
                "a dead letter holds nothing else up",
                "eine unzustellbare hält nichts anderes auf",
            ),
        }
    }

    fn when_unknown(&self, deliver: &Deliver) -> &'static str {
        match deliver.on_unknown {
            OnUnknown::Resend => say(
                self.language,
                "if nobody knows whether it arrived, it is sent again with the same id",
                "wenn niemand weiß, ob es ankam, wird es mit derselben Kennung noch einmal gesendet",
            ),
            OnUnknown::LookUp => say(
                self.language,
                "if nobody knows whether it arrived, it is looked up there first",
                "wenn niemand weiß, ob es ankam, wird zuerst dort nachgesehen",
            ),
            OnUnknown::Ask => say(
                self.language,
                "if nobody knows whether it arrived, a person decides",
                "wenn niemand weiß, ob es ankam, entscheidet ein Mensch",
            ),
        }
    }

    fn receive(&self, receive: &Receive) -> String {
        let what = if receive.accept.is_empty() {
            self.say("every message", "jede Meldung").to_owned()
        } else {
            receive.accept.join(", ")
        };
        let keep = span(receive.keep, self.language);
        let takes = self.say("takes", "nimmt an:");
        let repeats = self.say("repeats are told for", "Wiederholungen werden erkannt für");
        format!("{takes} {what}; {repeats} {keep}")
    }

    /// What it answered when it was asked whether it is well.
    fn health(&self, status: &ConnectionStatus) -> String {
        let Some(health) = &status.health else { return self.say("not asked", "nicht gefragt").to_owned() };
        let [at, since] = [health.at, health.since].map(|at| format::moment(at, self.language));
        let error = health.error.as_deref().unwrap_or_default();
        let why = reason(Outcome::Failed, health.cause, error, self.language);
        match (health.is_well, self.language) {
            (true, "de") => format!("ja, seit {since}; zuletzt gefragt {at}"),
            (true, _) => format!("yes, since {since}; asked last {at}"),
            (false, "de") => format!("nein, seit {since} ({why}); zuletzt gefragt {at}"),
            (false, _) => format!("no, since {since} ({why}); asked last {at}"),
        }
    }

    fn seen(&self, status: &ConnectionStatus, seen: &Seen) -> Part {
        let never = || self.say("never yet", "noch nie").to_owned();
        let moment = |at: Option<i64>| at.map_or_else(never, |at| format::moment(at, self.language));
        let count = |n: u64| format::count(n, self.language);
        let mut facts = vec![
            self.fact("State", "Zustand", connection_state(status, self.language)),
            self.fact(
                "First arrival that is still kept",
                "Erste Ankunft, die noch aufbewahrt ist",
                moment(seen.first_ok_at),
            ),
            self.fact("Last arrival", "Letzte Ankunft", moment(seen.last_ok_at.max(status.last_ok_at))),
            self.fact("Last failure", "Letzter Fehler", moment(status.last_failed_at)),
            self.fact("Is it well?", "Geht es ihm gut?", self.health(status)),
            self.fact(
                "Arrived in the last 30 days",
                "Angekommen in den letzten 30 Tagen",
                count(seen.arrived_in_30_days),
            ),
            self.fact("Waiting", "Wartend", count(status.waiting)),
            self.fact("Dead letters", "Unzustellbar", count(status.dead)),
            self.fact("To decide", "Zu entscheiden", count(status.asking)),
        ];
        if let Some(messages) = seen.messages {
            facts.push(self.fact(
                "Messages whose work waits",
                "Meldungen, deren Bearbeitung aussteht",
                count(messages.waiting),
            ));
            facts.push(self.fact(
                "Messages that could not be handled",
                "Meldungen, die nicht bearbeitet werden konnten",
                count(messages.stopped),
            ));
        }
        if let Some(took) = seen.median_took {
            let took = format::took(took, self.language);
            facts.push(self.fact("Usual duration (median)", "Übliche Dauer (Median)", took));
        }
        self.part("What was really seen", "Was wirklich zu sehen war", facts)
    }
}
