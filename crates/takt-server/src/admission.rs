//! Who is let in while there is much to do: bodies together, requests of one address, calls of visitors, connections.
//! Lives here: how much each may have, and the refusals. Not here: counting (`budget.rs`, `takt_auth::tries`).
//!
//! A network is an IPv4 address or an IPv6 /64. Behind a proxy that the settings do not name all callers are one.

use std::{net::IpAddr, sync::Arc};

use ::http::HeaderMap;
use takt_auth::tries::{Key, Tries, network};
use takt_model::{LimitSettings, Principal, Rights};

use crate::{
    app::App,
    budget::{Budget, Exhausted, Most, Share},
    identity,
    wire_error::{WireError, wire},
};

/// Connections at once; more wait in the system's queue.
pub(crate) const MOST_CONNECTIONS: usize = 8_192;
/// Part of what all share that one network may have.
const PART: usize = 4;
/// Networks whose visitors' calls are counted: with the default limit at most 40 MB.
const VISITORS: usize = 10_000;

/// What is counted.
#[derive(Debug)]
pub(crate) struct Admission {
    bodies: Arc<Budget>,
    requests: Arc<Budget>,
    connections: Arc<Budget>,
    visitor_calls: Tries,
}

impl Default for Admission {
    fn default() -> Self {
        Self {
            bodies: Arc::default(),
            requests: Arc::default(),
            connections: Arc::default(),
            visitor_calls: Tries::new(VISITORS),
        }
    }
}

/// The memory of one body: grows with it and is given back when it is dropped.
#[derive(Debug)]
pub(crate) struct BodyShare {
    share: Share,
    most: Most,
}

impl BodyShare {
    /// Pays for `bytes` more.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), WireError> {
        self.share.grow(bytes, self.most).map_err(|exhausted| {
            match exhausted {
                Exhausted::Together => wire(503, "TAKT014", "Too many request bodies are being received."),
                Exhausted::Network => wire(429, "TAKT014", "Your address is sending too much at once."),
            }
            .retry_after(1)
        })
    }
}

impl Admission {
    /// For a body that is about to come.
    pub(crate) fn body(&self, limits: &LimitSettings, from: Key) -> BodyShare {
        // Whatever the settings say, one whole body has room.
        let together = limits.bodies_bytes.max(limits.body_bytes);
        let per_network = (together / PART).max(limits.body_bytes);
        BodyShare { share: Share::of(&self.bodies, from), most: Most { together, per_network } }
    }

    /// A place among the requests of a network; none where nobody counts.
    pub(crate) fn request(
        &self,
        app: &App,
        limits: &LimitSettings,
        from: Key,
        headers: &HeaderMap,
    ) -> Result<Option<Share>, WireError> {
        let per_network = limits.requests_per_address;
        if per_network == 0 || identity::has_secret_key(app, headers) {
            return Ok(None);
        }
        let mut place = Share::of(&self.requests, from);
        let busy = |_| {
            let message = format!("Your address has {per_network} requests under way; please try again.");
            wire(429, "TAKT016", message).retry_after(1)
        };
        place.grow(1, Most { together: usize::MAX, per_network }).map_err(busy)?;
        Ok(Some(place))
    }

    /// Counts a call of a function, if a visitor calls.
    pub(crate) fn visitor_call(
        &self,
        app: &App,
        who: &Principal,
        peer: IpAddr,
        headers: &HeaderMap,
    ) -> Result<(), WireError> {
        match who.rights {
            Rights::Authenticated | Rights::Service | Rights::System { .. } => return Ok(()),
            Rights::Anon => {}
        }
        let limit = app.project().settings.limits.visitor_calls;
        let from = network(identity::address(app, peer, headers));
        self.visitor_calls.count(from, limit, app.engine.now()).map_err(|wait| {
            let message = "Visitors from your address have called too often; sign in or try again later.";
            wire(429, "TAKT015", message).retry_after(u32::try_from(wait.as_secs()).unwrap_or(u32::MAX))
        })
    }

    /// A place for a connection, unless its network has a quarter of all; a trusted proxy may have more.
    pub(crate) fn connection(&self, peer: IpAddr, proxies: &[String]) -> Option<Share> {
        let is_proxy = identity::is_trusted(peer.to_canonical(), proxies);
        let per_network = if is_proxy { MOST_CONNECTIONS } else { MOST_CONNECTIONS / PART };
        let mut place = Share::of(&self.connections, network(peer));
        place.grow(1, Most { together: MOST_CONNECTIONS, per_network }).ok()?;
        Some(place)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn nobody_has_all_connections_but_a_trusted_proxy() {
        let admission = Admission::default();
        let proxies = ["10.0.0.0/8".to_owned()];
        let connect = |from: &str| admission.connection(from.parse().unwrap(), &proxies);
        let connected: Vec<_> = (0..3_000).filter_map(|_| connect("203.0.113.1")).collect();
        assert_eq!(connected.len(), 2_048);
        assert!(connect("203.0.113.2").is_some(), "others come in");
        let proxied: Vec<_> = (0..9_000).filter_map(|_| connect("10.0.0.1")).collect();
        assert_eq!(proxied.len(), 8_192 - 2_048);
        drop(connected);
        assert!(connect("203.0.113.1").is_some());
    }

    #[test]
    fn a_quarter_of_the_budget_for_bodies_is_for_one_network_and_at_the_least_a_whole_body() {
        let admission = Admission::default();
        for (body_bytes, bodies_bytes, expected) in
            [(10, 400, (400, 100)), (200, 400, (400, 200)), (900, 400, (900, 900))]
        {
            let limits = LimitSettings { body_bytes, bodies_bytes, ..LimitSettings::default() };
            let most = admission.body(&limits, Key::default()).most;
            assert_eq!((most.together, most.per_network), expected);
        }
    }
}
