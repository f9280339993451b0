//! Arithmetic on dense vectors.

/// The sum of products; the longer one's rest is left out.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    // Eight sums side by side: one after the other can't use the processor's wide registers.
    let mut lanes = [0.0_f32; 8];
    let (mut left, mut right) = (a.chunks_exact(8), b.chunks_exact(8));
    for (x, y) in left.by_ref().zip(right.by_ref()) {
        for ((lane, x), y) in lanes.iter_mut().zip(x).zip(y) {
            *lane += x * y;
        }
    }
    // Whole eights of the longer one stand beside the shorter one's rest.
    let done = a.len().min(b.len()) / 8 * 8;
    let rest = a.iter().skip(done).zip(b.iter().skip(done)).map(|(x, y)| x * y).sum::<f32>();
    lanes.iter().sum::<f32>() + rest
}

/// Adds `factor` times `b` to `a`.
pub fn add(a: &mut [f32], factor: f32, b: &[f32]) {
    for (x, y) in a.iter_mut().zip(b) {
        *x += factor * y;
    }
}

/// Makes the length 1, if there is any; false if there is none.
pub fn normalise(a: &mut [f32]) -> bool {
    let length = dot(a, a).sqrt();
    let some = length > 1e-6;
    if some {
        for x in a {
            *x /= length;
        }
    }
    some
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_product_of_unequal_lengths_is_of_what_both_have() {
        let ones = [1.0; 21];
        for length in 0..21 {
            assert!((dot(&ones[..length], &ones) - length as f32).abs() < 1e-6);
            assert!((dot(&ones, &ones[..length]) - length as f32).abs() < 1e-6);
        }
        let mut none = [0.0; 3];
        assert!(!normalise(&mut none));
    }
}
