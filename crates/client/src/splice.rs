//! The difference between two lists, as one replacement.

use crate::api::Splice;

impl<T: Clone + PartialEq> Splice<T> {
    /// What makes `new` of `old`; `None` if they are equal. One splice is enough: rows come at an end or move by a few
    /// places, and what lies between the first and the last difference is short.
    pub fn between(old: &[T], new: &[T]) -> Option<Self> {
        let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
        let (old, new) = (old.get(head..)?, new.get(head..)?);
        let tail = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
        let (remove, insert) = (old.len() - tail, new.get(..new.len() - tail)?);
        let changed = remove > 0 || !insert.is_empty();
        changed.then(|| Self { at: index(head), remove: index(remove), insert: insert.to_vec() })
    }

    /// All of a list that was empty before.
    pub fn all(rows: &[T]) -> Self {
        Self { at: 0, remove: 0, insert: rows.to_vec() }
    }
}

impl<T> Splice<T> {
    /// Nothing changes.
    pub fn none() -> Self {
        Self { at: 0, remove: 0, insert: Vec::new() }
    }
}

fn index(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(rows: &mut Vec<u8>, splice: Splice<u8>) {
        let at = splice.at as usize;
        rows.splice(at..at + splice.remove as usize, splice.insert);
    }

    /// Folding the difference into the old list gives the new one, for all pairs of short lists.
    #[test]
    fn folds_to_the_new_list() {
        let lists: Vec<Vec<u8>> = (0..3_usize.pow(5))
            .map(|n| (0..(n % 6)).map(|i| u8::try_from(n / 3_usize.pow(i as u32) % 3).unwrap()).collect())
            .collect();
        for old in &lists {
            for new in &lists {
                let mut folded = old.clone();
                match Splice::between(old, new) {
                    None => assert_eq!(old, new),
                    Some(splice) => apply(&mut folded, splice),
                }
                assert_eq!(&folded, new);
            }
        }
    }

    #[test]
    fn an_appended_row_alone_travels() {
        assert_eq!(
            Splice::between(&[1, 2, 3], &[1, 2, 3, 4]),
            Some(Splice { at: 3, remove: 0, insert: vec![4] })
        );
    }
}
