//! Ridge regression in closed form.

use super::dense::{add, dot};

/// Linear weights from an input to each of an output's coordinates, and the mean output.
#[derive(Clone, Debug, Default)]
pub struct Ridge {
    weights: Vec<Vec<f32>>,
    mean: Vec<f32>,
}

impl Ridge {
    /// Fits as many outputs as inputs; `penalty` is what a unit of squared weight costs.
    pub fn fit(inputs: &[Vec<f32>], outputs: &[Vec<f32>], penalty: f32) -> Self {
        let (wide, deep) = (width(inputs), width(outputs));
        let mut mean = vec![0.0; deep];
        for output in outputs {
            add(&mut mean, 1.0 / outputs.len() as f32, output);
        }
        let mut squares = vec![vec![0.0; wide]; wide];
        let mut products = vec![vec![0.0; wide]; deep];
        for (input, output) in inputs.iter().zip(outputs) {
            for (row, x) in squares.iter_mut().zip(input) {
                add(row, *x, input);
            }
            for ((row, y), mean) in products.iter_mut().zip(output).zip(&mean) {
                add(row, y - mean, input);
            }
        }
        for (at, row) in squares.iter_mut().enumerate() {
            if let Some(diagonal) = row.get_mut(at) {
                *diagonal += penalty;
            }
        }
        let lower = cholesky(&squares);
        Self { weights: products.iter().map(|product| solve(&lower, product)).collect(), mean }
    }

    /// The output that an input lets expect.
    pub fn predict(&self, input: &[f32]) -> Vec<f32> {
        self.weights.iter().zip(&self.mean).map(|(weights, mean)| mean + dot(weights, input)).collect()
    }
}

fn width(rows: &[Vec<f32>]) -> usize {
    rows.first().map_or(0, Vec::len)
}

/// The lower triangle whose product with its transpose is the symmetric, positive matrix.
fn cholesky(matrix: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let mut lower: Vec<Vec<f32>> = Vec::with_capacity(matrix.len());
    for (at, source) in matrix.iter().enumerate() {
        let mut row: Vec<f32> = Vec::with_capacity(at + 1);
        for (above, value) in lower.iter().zip(source) {
            let diagonal = above.last().copied().unwrap_or(1.0);
            row.push((value - dot(&row, above)) / diagonal);
        }
        let rest = source.get(at).copied().unwrap_or_default() - dot(&row, &row);
        // The penalty keeps it well above zero; rounding must not bring it below.
        row.push(rest.max(f32::EPSILON).sqrt());
        lower.push(row);
    }
    lower
}

/// Solves for the product, with the triangle and then with its transpose.
fn solve(lower: &[Vec<f32>], product: &[f32]) -> Vec<f32> {
    let mut between: Vec<f32> = Vec::with_capacity(product.len());
    for (row, value) in lower.iter().zip(product) {
        let diagonal = row.last().copied().unwrap_or(1.0);
        between.push((value - dot(&between, row)) / diagonal);
    }
    let mut solution = Vec::with_capacity(product.len());
    for row in lower.iter().rev() {
        let diagonal = row.last().copied().unwrap_or(1.0);
        let value = between.pop().unwrap_or_default() / diagonal;
        add(&mut between, -value, row);
        solution.push(value);
    }
    solution.reverse();
    solution
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_law_is_found_and_the_penalty_shrinks_it() {
        let inputs: Vec<Vec<f32>> =
            (0..50).map(|n| vec![(n % 7) as f32 - 3.0, (n % 5) as f32 - 2.0, 1.0]).collect();
        let outputs: Vec<Vec<f32>> = inputs.iter().map(|x| vec![2.0 * x[0] - x[1] + 5.0, x[1]]).collect();
        let found = Ridge::fit(&inputs, &outputs, 1e-3).predict(&[3.0, 1.0, 1.0]);
        assert!((found[0] - 10.0).abs() < 0.01 && (found[1] - 1.0).abs() < 0.01, "{found:?}");
        let shrunk = Ridge::fit(&inputs, &outputs, 1e9).predict(&[3.0, 1.0, 1.0]);
        let mean = outputs.iter().map(|y| y[0]).sum::<f32>() / 50.0;
        assert!((shrunk[0] - mean).abs() < 0.01);
        assert!(Ridge::fit(&[], &[], 1.0).predict(&[1.0]).is_empty());
    }
}
