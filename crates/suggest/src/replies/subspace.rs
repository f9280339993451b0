//! Latent semantic analysis: the few directions in which texts differ most.
//!
//! Orthogonal iteration on the sparse matrix of the texts. Its result spans the space of the leading singular vectors;
//! which vectors within it makes no difference to cosines or to a ridge regression, so no further decomposition follows.

use super::dense::{add, dot, normalise};
use super::sparse::Sparse;

/// Rounds of the iteration; more change no measured figure.
const ROUNDS: usize = 3;

/// Orthonormal directions.
#[derive(Clone, Debug, Default)]
pub struct Subspace {
    /// Each with a weight for each place.
    directions: Vec<Vec<f32>>,
}

impl Subspace {
    /// The `rank` leading directions of these rows, or fewer if there aren't as many. `width` is the number of places.
    pub fn of(rows: &[Sparse], width: usize, rank: usize) -> Self {
        let mut signs = Signs(1);
        let mut directions: Vec<Vec<f32>> = (0..rank.min(rows.len()).min(width))
            .map(|_| (0..width).map(|_| signs.next()).collect())
            .collect();
        for _ in 0..ROUNDS {
            for direction in &mut directions {
                let mut image = vec![0.0; width];
                for row in rows {
                    let along = project(row, direction);
                    for (place, weight) in row {
                        if let Some(sum) = image.get_mut(*place) {
                            *sum += weight * along;
                        }
                    }
                }
                *direction = image;
            }
            orthonormalise(&mut directions);
        }
        Self { directions }
    }

    /// A row's coordinates.
    pub fn coordinates(&self, row: &[(usize, f32)]) -> Vec<f32> {
        self.directions.iter().map(|direction| project(row, direction)).collect()
    }
}

fn project(row: &[(usize, f32)], direction: &[f32]) -> f32 {
    row.iter().map(|(place, weight)| direction.get(*place).map_or(0.0, |along| weight * along)).sum()
}

/// Makes the vectors orthogonal and of length 1, and drops those that depend on others.
fn orthonormalise(vectors: &mut Vec<Vec<f32>>) {
    let mut kept: Vec<Vec<f32>> = Vec::with_capacity(vectors.len());
    for mut vector in vectors.drain(..) {
        // What rounding has left of the others after the first time goes the second time.
        let some = (0..2).all(|_| {
            let some = normalise(&mut vector);
            for other in &kept {
                let along = dot(&vector, other);
                add(&mut vector, -along, other);
            }
            some
        });
        if some && normalise(&mut vector) {
            kept.push(vector);
        }
    }
    *vectors = kept;
}

/// A fixed sequence of signs that look random: the iteration may start anywhere, and must start at the same place always.
struct Signs(u64);

impl Signs {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        if self.0.count_ones().is_multiple_of(2) { 1.0 } else { -1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leading_directions_are_found() {
        // Two strong directions, and one that hardly counts.
        let rows: Vec<Sparse> = (0..30)
            .map(|row| match row % 3 {
                0 => vec![(0, 3.0), (1, 3.0)],
                1 => vec![(2, 2.0)],
                _ => vec![(3, 0.01)],
            })
            .collect();
        let space = Subspace::of(&rows, 4, 2);
        let length = |row: &[(usize, f32)]| {
            let found = space.coordinates(row);
            dot(&found, &found).sqrt()
        };
        assert!((length(&[(0, 1.0), (1, 1.0)]) - 2_f32.sqrt()).abs() < 1e-3);
        assert!((length(&[(2, 1.0)]) - 1.0).abs() < 1e-3);
        assert!(length(&[(3, 1.0)]) < 1e-3 && length(&[(0, 1.0), (1, -1.0)]) < 1e-3);
    }

    #[test]
    fn fewer_rows_give_fewer_directions() {
        let rows = vec![vec![(0, 1.0)], vec![(0, 2.0)]];
        assert_eq!(Subspace::of(&rows, 5, 4).coordinates(&[(0, 1.0)]).len(), 1);
        assert!(Subspace::of(&[], 5, 4).coordinates(&[(0, 1.0)]).is_empty());
    }
}
