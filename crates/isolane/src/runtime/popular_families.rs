//! Which families of web APIs contexts use, so that contexts which are made ahead have them made: to make those of
//! streams, say, takes half a millisecond of the first request.
//!
//! Any thread notes and asks.

use std::collections::VecDeque;

use parking_lot::Mutex;

use super::families::FAMILIES;

/// Of so many contexts, those that ended or began last, most must use a family for it to be made ahead.
const LATELY: usize = 32;

/// Fewer say nothing yet.
const ENOUGH: usize = 4;

/// Making these changes how a context runs that does not use them.
const NEVER_AHEAD: [&str; 2] = ["async_context", "async_hooks"];

/// A set of families.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FamilySet(u128);

const _: () = assert!(FAMILIES.len() <= u128::BITS as usize);

impl FamilySet {
    /// The set with the family that has that place among all.
    pub(super) fn with(self, at: usize) -> Self {
        Self(self.0 | 1 << at)
    }

    /// The set of one family.
    #[cfg(test)]
    pub(super) fn named(name: &str) -> Self {
        let at = super::families::place_of(name).expect("a family");
        Self::default().with(at)
    }

    fn has(self, at: usize) -> bool {
        self.0 & 1 << at != 0
    }

    /// The names of those that may be made ahead.
    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        let named = FAMILIES.iter().enumerate();
        named
            .filter(move |(at, family)| self.has(*at) && !NEVER_AHEAD.contains(&family.name))
            .map(|(_, family)| family.name)
    }
}

#[derive(Default)]
struct Lately {
    used: VecDeque<FamilySet>,
    popular: FamilySet,
}

impl Lately {
    fn note(&mut self, used: FamilySet) {
        let is_full = self.used.len() == LATELY;
        let left = self.used.pop_front_if(|_| is_full);
        self.used.push_back(used);
        let count = self.used.len();
        if count < ENOUGH || left == Some(used) {
            return;
        }
        let uses = |at: &usize| self.used.iter().filter(|used| used.has(*at)).count();
        let most = (0..FAMILIES.len()).filter(|at| uses(at) * 2 > count);
        self.popular = most.fold(FamilySet::default(), FamilySet::with);
    }
}

static USED: Mutex<Lately> = Mutex::new(Lately {
    used: VecDeque::new(),
    popular: FamilySet(0),
});

/// Notes what a worker has used in a context.
pub(crate) fn note(used: FamilySet) {
    USED.lock().note(used);
}

/// What most contexts used lately.
pub(crate) fn popular() -> FamilySet {
    USED.lock().popular
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(of: &[usize]) -> FamilySet {
        of.iter()
            .copied()
            .fold(FamilySet::default(), FamilySet::with)
    }

    #[test]
    fn what_most_of_the_last_contexts_used_is_popular() {
        let mut lately = Lately::default();
        for _ in 0..ENOUGH - 1 {
            lately.note(set(&[3, 5]));
        }
        assert_eq!(lately.popular, set(&[]), "they are too few");
        lately.note(set(&[3]));
        assert_eq!(lately.popular, set(&[3, 5]));
        for _ in 0..LATELY / 2 {
            lately.note(set(&[70]));
        }
        assert_eq!(lately.popular, set(&[70]));
        for _ in 0..LATELY / 2 {
            lately.note(set(&[3]));
        }
        assert_eq!(lately.popular, set(&[]), "half is not most");
    }

    #[test]
    fn what_changes_others_is_not_made_ahead() {
        let all = (0..FAMILIES.len()).fold(FamilySet::default(), FamilySet::with);
        let names: Vec<_> = all.names().collect();
        assert_eq!(names.len(), FAMILIES.len() - NEVER_AHEAD.len());
        assert!(NEVER_AHEAD.iter().all(|name| !names.contains(name)));
    }
}
