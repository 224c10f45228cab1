//! Things kept by name, as many as are asked for again and again and no more.

use std::{collections::HashMap, mem, sync::Arc};

/// Things of one generation; there are two, so at most twice as many are kept.
const GENERATION: usize = 256;

/// Two generations: when the young one is full it becomes the old one, and what nobody asked for since is dropped with
/// the one before.
pub(super) struct Generations<T> {
    young: HashMap<String, Arc<T>>,
    old: HashMap<String, Arc<T>>,
}

impl<T> Default for Generations<T> {
    fn default() -> Self {
        Self { young: HashMap::new(), old: HashMap::new() }
    }
}

impl<T> Generations<T> {
    pub(super) fn get(&mut self, key: &str) -> Option<Arc<T>> {
        if let Some(kept) = self.young.get(key) {
            return Some(Arc::clone(kept));
        }
        let kept = self.old.remove(key)?;
        self.put(key, &kept);
        Some(kept)
    }

    pub(super) fn put(&mut self, key: &str, kept: &Arc<T>) {
        if self.young.len() >= GENERATION {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(key.to_owned(), Arc::clone(kept));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_stays_and_the_rest_goes() {
        let mut kept = Generations::default();
        for number in 0..10 * GENERATION {
            kept.put(&number.to_string(), &Arc::new(number));
            assert_eq!(kept.get("0").as_deref(), Some(&0), "after {number}");
            assert!(kept.young.len() + kept.old.len() <= 2 * GENERATION);
        }
        assert!(kept.get("1").is_none());
    }
}
