//! A sliding window over tries: "10 in 15 minutes" is never 20. And what counts as one address.
//!
//! Every try is kept with its moment for 15 minutes, in a table of bounded size. Serves this room's limits
//! (`limits.rs`) and the server's limit on visitors' calls.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    time::Duration,
};

use parking_lot::Mutex;

/// How long a try counts.
const WINDOW: Duration = Duration::from_secs(15 * 60);

/// What is counted, as a network or a short hash: no name is kept.
pub type Key = [u8; 16];

/// Moments of tries, per key.
#[derive(Debug)]
pub struct Tries {
    by_key: Mutex<HashMap<Key, VecDeque<i64>>>,
    capacity: usize,
}

impl Tries {
    /// For `capacity` keys at once; beyond that those that were quiet for longest are forgotten.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { by_key: Mutex::new(HashMap::new()), capacity }
    }

    /// Counts one try at the moment `now` (microseconds). A limit of 0 is none.
    ///
    /// # Errors
    /// After which time the next try is allowed, in whole seconds as `Retry-After` has it.
    pub fn count(&self, key: Key, limit: u32, now: i64) -> Result<(), Duration> {
        let limit = limit as usize;
        if limit == 0 {
            return Ok(());
        }
        let window = i64::try_from(WINDOW.as_micros()).unwrap_or(i64::MAX);
        let mut by_key = self.by_key.lock();
        if by_key.len() >= self.capacity && !by_key.contains_key(&key) {
            by_key.retain(|_, tries| tries.back().is_some_and(|last| *last > now - window));
            if by_key.len() >= self.capacity {
                drop_oldest(&mut by_key, |tries| tries.back().copied().unwrap_or_default());
            }
        }
        let tries = by_key.entry(key).or_default();
        while tries.front().is_some_and(|first| *first <= now - window) {
            tries.pop_front();
        }
        if tries.len() < limit {
            tries.push_back(now);
            return Ok(());
        }
        let oldest = tries.get(tries.len() - limit).copied().unwrap_or(now);
        let wait = u64::try_from(oldest + window - now).unwrap_or_default();
        Err(Duration::from_secs(Duration::from_micros(wait).as_secs() + 1).min(WINDOW))
    }

    /// The try of that moment did not happen after all.
    pub fn take_back(&self, key: Key, at: i64) {
        let mut by_key = self.by_key.lock();
        let Some(tries) = by_key.get_mut(&key) else { return };
        if let Some(position) = tries.iter().rposition(|t| *t == at) {
            tries.remove(position);
        }
        if tries.is_empty() {
            by_key.remove(&key);
        }
    }
}

/// Makes room: the tenth that was quiet for longest goes.
pub(crate) fn drop_oldest<V>(map: &mut HashMap<Key, V>, moment: impl Fn(&V) -> i64) {
    let mut moments: Vec<i64> = map.values().map(&moment).collect();
    let tenth = moments.len() / 10;
    if moments.is_empty() {
        return;
    }
    let (_, border, _) = moments.select_nth_unstable(tenth);
    let border = *border;
    let mut left = tenth + 1;
    map.retain(|_, value| {
        let goes = left > 0 && moment(value) <= border;
        left -= usize::from(goes);
        !goes
    });
}

/// What counts as one address: the address itself, or the /64 that every IPv6 user has for themselves.
#[must_use]
pub fn network(address: IpAddr) -> Key {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => {
            let mut octets = v6.octets();
            octets[8..].fill(0);
            octets
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn numbered(n: u32) -> Key {
        u128::from(n).to_be_bytes()
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        let cases = [
            ("203.0.113.7", "203.0.113.7", true),
            ("203.0.113.7", "203.0.113.8", false),
            ("::ffff:203.0.113.7", "203.0.113.7", true),
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true),
            ("2001:db8:1:2::1", "2001:db8:1:3::1", false),
        ];
        for (one, other, same) in cases {
            let of = |text: &str| network(text.parse().unwrap());
            assert_eq!(of(one) == of(other), same, "{one} {other}");
        }
    }

    #[test]
    fn memory_is_bounded() {
        let tries = Tries::new(100);
        for n in 0..10_000_u32 {
            let _ = tries.count(numbered(n), 3, i64::from(n));
            assert!(tries.by_key.lock().len() <= 100);
        }
        // Those who tried last are still counted.
        assert_eq!(tries.by_key.lock().get(&numbered(9_999)).map(VecDeque::len), Some(1));
    }

    #[test]
    fn no_limit_is_no_limit() {
        let tries = Tries::new(10);
        assert!((0..1000).all(|n| tries.count(Key::default(), 0, n).is_ok()));
    }
}
