//! Chance as a tape of numbers: what a case looks like is read off it, so that proptest can shrink whole projects and
//! plans by shrinking the tape. Zero, also read beyond the end, always means the simplest choice.

/// A tape that is being read.
pub(crate) struct Tape<'t> {
    cells: &'t [u32],
    at: usize,
}

impl<'t> Tape<'t> {
    pub(crate) fn new(cells: &'t [u32]) -> Self {
        Self { cells, at: 0 }
    }

    fn draw(&mut self) -> u32 {
        self.at += 1;
        self.cells.get(self.at - 1).copied().unwrap_or(0)
    }

    /// Less than `n`, which is at least 1.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.draw() as usize % n
    }

    /// True in `times` of `of` cases.
    pub(crate) fn chance(&mut self, times: usize, of: usize) -> bool {
        self.below(of) >= of - times
    }

    /// One of a list that is not empty.
    pub(crate) fn pick<'l, T>(&mut self, list: &'l [T]) -> &'l T {
        &list[self.below(list.len())]
    }

    /// A position, as often as its weight says; the first is the simplest.
    pub(crate) fn weighted(&mut self, weights: &[usize]) -> usize {
        let mut rest = self.below(weights.iter().sum());
        for (at, weight) in weights.iter().enumerate() {
            if rest < *weight {
                return at;
            }
            rest -= weight;
        }
        0
    }

    /// Each member with the chance `times` of `of`.
    pub(crate) fn some<T: Clone>(&mut self, list: &[T], times: usize, of: usize) -> Vec<T> {
        list.iter().filter(|_| self.chance(times, of)).cloned().collect()
    }

    /// Numbers from 0 on in any order.
    pub(crate) fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut list: Vec<usize> = (0..n).collect();
        for at in (1..n).rev() {
            let other = at - self.below(at + 1);
            list.swap(at, other);
        }
        list
    }
}
