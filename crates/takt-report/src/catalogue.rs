//! The catalogue: every check that is foreseen for an own system (`design/assessment.md` section 2), built or not.
//! Lives here: id, weight and a short name, so that a block can say how much of it is answered.

use crate::text::Text;

/// A foreseen check.
pub(crate) struct Entry {
    pub(crate) id: &'static str,
    pub(crate) weight: u8,
    pub(crate) name: Text,
    /// What to ask as long as nobody measures it; only for the gravest.
    pub(crate) question: Option<Question>,
}

/// A question to the agency.
#[derive(Clone, Copy)]
pub(crate) struct Question {
    pub(crate) title: Text,
    pub(crate) question: Text,
}

const fn entry(id: &'static str, weight: u8, de: &'static str, en: &'static str) -> Entry {
    Entry { id, weight, name: Text { de, en }, question: None }
}

const fn asked(entry: Entry, title: Text, question: Text) -> Entry {
    Entry { question: Some(Question { title, question }), ..entry }
}

/// In the order of the catalogue.
#[rustfmt::skip]
pub(crate) const ALL: [Entry; 94] = [
    entry("D01", 1, "Was gespeichert ist", "What is stored"),
    entry("D02", 3, "Verweise ins Leere", "Broken links"),
    entry("D03", 2, "Doppelte Einträge", "Duplicate entries"),
    entry("D04", 3, "Dauer der Abfragen", "Time of queries"),
    entry("D05", 2, "Abfragen über ganze Listen", "Queries that read whole lists"),
    entry("D06", 2, "Wie lange der Platz reicht", "How long space lasts"),
    entry("D07", 2, "Wartung und Prüfung der Datenbank", "Maintenance and integrity of the database"),
    entry("D08", 5, "Stromausfall", "Power cut"),
    entry("D09", 3, "Pflege der Datenbank durch den Hersteller", "Maker's care for the database"),
    entry("D10", 1, "Genauigkeit von Geld und Datum", "Exactness of money and dates"),
    entry("D11", 2, "Passende Art der Datenbank", "Fitting kind of database"),
    entry("D12", 1, "Spitzenlast der Datenbank", "Peak load of the database"),
    entry("D13", 3, "Datenbank aus dem Internet erreichbar", "Database reachable from the internet"),
    entry("D14", 2, "Unmarkierte persönliche Daten", "Unmarked personal data"),
    entry("D15", 2, "Datenbank entspricht dem Bauplan", "Database matches its plan"),
    entry("M01", 3, "Ort der Daten", "Place of the data"),
    entry("M02", 2, "Betreiber und Recht", "Operator and law"),
    asked(
        entry("M03", 5, "Fehlende Sicherheitsaktualisierungen", "Missing security updates"),
        Text { de: "Updates des Servers erfragen", en: "Ask about updates of the server" },
        Text { de: "Welche Sicherheitsaktualisierung des Servers fehlt am längsten, und seit wann?", en: "Which security update of the server has been missing longest, and since when?" },
    ),
    entry("M04", 3, "Pflege des Betriebssystems", "Care for the operating system"),
    entry("M05", 3, "Regelmäßigkeit der Updates", "Rhythm of updates"),
    entry("M06", 5, "Gelungene Zugriffe", "Requests that succeed"),
    entry("M07", 2, "Bauteile ohne Ersatz", "Parts without replacement"),
    entry("M08", 5, "Alter der letzten Sicherung", "Age of the last backup"),
    entry("M09", 5, "Zur Probe zurückgespielte Sicherung", "Trial restore of the backup"),
    entry("M10", 5, "Zeit bis zur Rückkehr nach Totalausfall", "Time to return after total loss"),
    entry("M11", 3, "Kopie an einem anderen Ort", "Copy at another place"),
    entry("M12", 3, "Eigener Schlüssel zur Sicherung", "Your own key to the backup"),
    entry("M13", 3, "Bestätigter Probealarm", "Confirmed test alarm"),
    entry("M14", 2, "Zeit bis eine Störung bemerkt wird", "Time until trouble is noticed"),
    entry("M15", 3, "Verschlüsselung der Website", "Encryption of the website"),
    entry("M16", 2, "Schutzanweisungen für Browser", "Protective instructions for browsers"),
    entry("M17", 2, "Auslastung in der stärksten Stunde", "Load in the busiest hour"),
    entry("M18", 1, "Lastprobe", "Load rehearsal"),
    entry("M19", 2, "Zeit bis zur ersten Antwort", "Time to first answer"),
    entry("M20", 3, "Vertrauliche Dateien im Netz", "Confidential files on the web"),
    entry("R01", 5, "Gelungene Geschäftsvorgänge", "Business processes that succeed"),
    entry("R02", 3, "Hängende Vorgänge", "Stuck processes"),
    entry("R03", 3, "Doppelte Bestellungen", "Double orders"),
    entry("R04", 3, "Wer Preise und Bestand bestimmt", "Who decides prices and stock"),
    entry("R05", 5, "Offen lesbare persönliche Daten", "Openly readable personal data"),
    entry("R06", 3, "Geprüfte Zugriffsregeln", "Tested access rules"),
    entry("R07", 3, "Anmeldung der Verwalter", "Sign-in of administrators"),
    entry("R08", 3, "Gespeicherte Passwörter", "Stored passwords"),
    entry("R09", 2, "Erprobter Passwortwechsel", "Tried password change"),
    entry("R10", 2, "Nachlesbare Vorgänge", "Readable processes"),
    entry("R11", 2, "Änderungen mit Namen", "Changes with a name"),
    entry("R12", 2, "Abläufe vor Veröffentlichung geprüft", "Processes tested before release"),
    entry("R13", 2, "Unerklärte Fehler", "Unexplained errors"),
    entry("R14", 3, "Schlüssel in der Oberfläche", "Keys in the front end"),
    entry("R15", 1, "Barrierearme Ausgaben", "Accessible outputs"),
    entry("S01", 3, "Angemeldete Verbindungen", "Declared connections"),
    entry("S02", 5, "Abgleich mit der Warenwirtschaft", "Reconciliation with the ERP"),
    entry("S03", 3, "Nicht übergebene Nachrichten", "Undelivered messages"),
    entry("S04", 2, "Annahme beim ersten Versuch", "Acceptance at first try"),
    entry("S05", 3, "Unterschriebene Verbindungen", "Signed connections"),
    entry("S06", 2, "Beschriebene Verbindungen", "Described connections"),
    entry("S07", 3, "Geänderte Formate", "Changed formats"),
    entry("S08", 2, "Erreichbarkeit der Partner", "Availability of partners"),
    entry("S09", 3, "Geprobter Ausfall eines Partners", "Rehearsed failure of a partner"),
    entry("S10", 2, "Wem die Konten gehören", "Who holds the accounts"),
    entry("S11", 2, "Alter der Zugangsschlüssel", "Age of access keys"),
    entry("S12", 3, "Persönliche Daten an Partner", "Personal data to partners"),
    entry("S13", 1, "Angekündigtes Ende von Verbindungen", "Announced end of connections"),
    entry("S14", 1, "Karte der Teile", "Map of the parts"),
    entry("Z01", 3, "Dauer einer Änderung", "Time of a change"),
    entry("Z02", 1, "Veröffentlichungen", "Releases"),
    entry("Z03", 3, "Nachgebesserte Veröffentlichungen", "Releases that needed repair"),
    entry("Z04", 3, "Erholung nach einer missglückten Änderung", "Recovery after a failed release"),
    entry("Z05", 2, "Ungeplante Reparaturen", "Unplanned repairs"),
    entry("Z06", 3, "Ausfall durch Updates", "Outage through updates"),
    entry("Z07", 5, "Bekannte Lücken in Bauteilen", "Known holes in parts"),
    entry("Z08", 2, "Ungepflegte Bauteile", "Parts nobody maintains"),
    entry("Z09", 1, "Behelfslösungen", "Stop-gaps"),
    entry("Z10", 2, "Eingriffe von Hand", "Interventions by hand"),
    entry("Z11", 3, "Rücknahme der letzten Änderung", "Undoing the last change"),
    entry("Z12", 2, "Aufwand für Neues", "Effort for new features"),
    entry("Z13", 1, "Geprobter Versionssprung", "Rehearsed version jump"),
    entry("Z14", 1, "Rechenzeit je Bestellung", "Computing time per order"),
    entry("V01", 3, "Schlüsseldinge auf Ihren Namen", "Key assets in your name"),
    entry("V02", 3, "Abhängigkeit von einer Person", "Dependence on one person"),
    entry("V03", 2, "Wer welches Bauteil pflegt", "Who maintains which part"),
    entry("V04", 3, "Stand der Übergabemappe", "State of the handover file"),
    asked(
        entry("V05", 5, "Erprobte Übergabe", "Tried handover"),
        Text { de: "Übergabe an Fremde planen", en: "Plan a handover to strangers" },
        Text { de: "Könnte ein Fremder unser System allein aus den Unterlagen starten? Was fehlt dazu?", en: "Could a stranger start our system from the papers alone? What is missing for that?" },
    ),
    entry("V06", 3, "Mitnahme aller Daten", "Taking all data along"),
    entry("V07", 2, "Verzeichnis der Verarbeitungen", "Processing register"),
    entry("V08", 2, "Verträge mit Dienstleistern", "Processor contracts"),
    entry("V09", 2, "Löschfristen", "Deletion periods"),
    entry("V10", 2, "Auskunft für eine Person", "Answering one person's request"),
    entry("V11", 2, "Geübte Datenpanne", "Breach drill"),
    entry("V12", 3, "Konten mit Verwalterrechten", "Administrator accounts"),
    entry("V13", 1, "Stückliste", "Parts list"),
    entry("V14", 1, "Bestätigter Bericht", "Confirmed report"),
    entry("V15", 1, "NIS2 und BFSG", "NIS2 and accessibility law"),
    entry("V16", 2, "Angenommene Risiken", "Accepted risks"),
];
