//! The clinic's past replies, and how likely each is to be what one would answer now.

use super::bm25::Bm25;
use super::dense::{dot, normalise};
use super::ridge::Ridge;
use super::situation::Situation;
use super::sparse::{Sparse, Vocabulary};
use super::subspace::Subspace;
use crate::measure::{HIT, cosine};
use crate::numbers::Numbers;
use crate::text::tokens;

/// Dimensions of the latent space.
const RANK: usize = 150;
/// What a unit of squared weight costs the regression.
const PENALTY: f32 = 1.0;

/// How much of the situation each part is: the patient's last turn, the provider's before, what the patient wrote earlier.
const PARTS: [f32; 3] = [1.0, 0.7, 0.3];

/// What counts how much for a past reply, in natural logarithms of its likelihood: learned once on primock57 (docs/suggestions.md),
/// and as good on mts-dialog as weights learned there.
mod weight {
    /// A point of BM25 between the situations.
    pub const BM25: f32 = 0.165;
    /// The cosine between the situations in the latent space.
    pub const LATENT: f32 = 0.9;
    /// The cosine between the reply and the one that the regression expects.
    pub const RIDGE: f32 = 5.4;
    /// The logarithm of how many past replies are like it.
    pub const POPULAR: f32 = 0.975;
    /// How far it was from here in the conversation: greetings come first, and farewells last.
    pub const POSITION: f32 = -2.4;
}

/// A past reply.
#[derive(Clone, Debug)]
pub struct Reply {
    pub text: String,
    /// Its words as sorted numbers.
    pub set: Vec<u32>,
    /// The logarithm of how many replies are like it, itself included.
    popularity: f32,
    /// The logarithm of its place in the conversation.
    position: f32,
    /// Its situation in the latent space, of length 1.
    latent: Vec<f32>,
    /// The reply itself in the replies' latent space, of length 1.
    vector: Vec<f32>,
}

/// All past replies.
#[derive(Clone, Debug, Default)]
pub struct Pool {
    pub replies: Vec<Reply>,
    pub numbers: Numbers,
    vocabulary: Vocabulary,
    situations: Subspace,
    ridge: Ridge,
    pub bm25: Bm25,
}

impl Pool {
    /// Learns from replies in their situations.
    pub fn of(past: &[(Situation, &str)]) -> Self {
        let words: Vec<Vec<String>> = past.iter().map(|(_, text)| tokens(text)).collect();
        let texts = past.iter().map(|(situation, _)| situation.patient.as_slice());
        let vocabulary = Vocabulary::of(texts.chain(words.iter().map(Vec::as_slice)));
        let mut numbers = Numbers::default();
        let sets: Vec<Vec<u32>> = words.iter().map(|words| numbers.set(words)).collect();

        let rows: Vec<Sparse> = past.iter().map(|(situation, _)| row(&vocabulary, situation)).collect();
        let situations = Subspace::of(&rows, PARTS.len() * vocabulary.len(), RANK);
        let mut latents: Vec<Vec<f32>> = rows.iter().map(|row| situations.coordinates(row)).collect();
        let inputs: Vec<Vec<f32>> =
            latents.iter().zip(past).map(|(latent, (situation, _))| input(latent, situation)).collect();

        let rows: Vec<Sparse> = words.iter().map(|words| vocabulary.vector(words)).collect();
        let space = Subspace::of(&rows, vocabulary.len(), RANK);
        let mut vectors: Vec<Vec<f32>> = rows.iter().map(|row| space.coordinates(row)).collect();
        for vector in vectors.iter_mut().chain(&mut latents) {
            normalise(vector);
        }
        let ridge = Ridge::fit(&inputs, &vectors, PENALTY);

        let popularities = popularities(&sets, numbers.len());
        let replies = past
            .iter()
            .zip(sets)
            .zip(popularities)
            .zip(latents.into_iter().zip(vectors))
            .map(|((((situation, text), set), popularity), (latent, vector))| Reply {
                text: (*text).to_owned(),
                set,
                popularity,
                position: place(situation),
                latent,
                vector,
            })
            .collect();
        let bm25 = Bm25::of(past.iter().map(|(situation, _)| situation.query()));
        Self { replies, numbers, vocabulary, situations, ridge, bm25 }
    }

    /// The logarithm of each reply's likelihood, up to a constant.
    pub fn likelihoods(&self, situation: &Situation) -> Vec<f32> {
        let mut latent = self.situations.coordinates(&row(&self.vocabulary, situation));
        let mut expected = self.ridge.predict(&input(&latent, situation));
        normalise(&mut latent);
        normalise(&mut expected);
        let here = place(situation);
        self.replies
            .iter()
            .zip(self.bm25.scores(situation.query()))
            .map(|(reply, bm25)| {
                weight::BM25 * bm25
                    + weight::LATENT * dot(&latent, &reply.latent)
                    + weight::RIDGE * dot(&expected, &reply.vector)
                    + weight::POPULAR * reply.popularity
                    + weight::POSITION * (here - reply.position).abs()
            })
            .collect()
    }
}

/// A situation as one vector: its parts side by side.
fn row(vocabulary: &Vocabulary, situation: &Situation) -> Sparse {
    let parts = [&situation.patient, &situation.provider, &situation.earlier];
    let mut row = Sparse::new();
    for (at, (words, share)) in parts.into_iter().zip(PARTS).enumerate() {
        let part = vocabulary.vector(words).into_iter();
        row.extend(part.map(|(place, weight)| (at * vocabulary.len() + place, share * weight)));
    }
    row
}

fn place(situation: &Situation) -> f32 {
    (1.0 + situation.position as f32).ln()
}

/// What the regression starts from: the situation, how far the conversation has come, and how much the patient just wrote.
fn input(latent: &[f32], situation: &Situation) -> Vec<f32> {
    let position = situation.position as f32;
    let written = (1.0 + situation.patient.len() as f32).ln();
    let mut input = latent.to_vec();
    input.extend([place(situation), position / 50.0, 1.0 / (1.0 + position), written]);
    input
}

/// The logarithm of how many sets are like each, itself included.
fn popularities(sets: &[Vec<u32>], numbers: usize) -> Vec<f32> {
    let mut having: Vec<Vec<u32>> = vec![Vec::new(); numbers];
    for (at, set) in sets.iter().enumerate() {
        for number in set {
            if let Some(list) = having.get_mut(*number as usize) {
                list.push(at as u32);
            }
        }
    }
    let mut common = vec![0_u32; sets.len()];
    sets.iter()
        .map(|set| {
            common.fill(0);
            for at in set.iter().filter_map(|number| having.get(*number as usize)).flatten() {
                if let Some(count) = common.get_mut(*at as usize) {
                    *count += 1;
                }
            }
            let like = common
                .iter()
                .zip(sets)
                .filter(|(common, other)| cosine(**common as usize, set.len(), other.len()) >= HIT);
            (like.count().max(1) as f32).ln()
        })
        .collect()
}
