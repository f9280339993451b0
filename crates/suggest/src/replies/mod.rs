//! Replies from the clinic's own: what its providers wrote in situations like this one, and its saved replies.
//!
//! ```text
//! situation ──> BM25, latent cosine, ridge, popularity, position ──> likelihood of each past reply
//!                                                                                 │
//!          past replies without one patient's facts, saved replies ──> offers that are like most of it ──> chance
//! ```
//!
//! What isn't likely enough to be of use isn't shown.

mod baseline;
pub(crate) mod bm25;
mod calibration;
mod choose;
mod dense;
pub(crate) mod offerable;
mod pool;
mod ridge;
mod situation;
mod sparse;
mod subspace;

use crate::measure::{HIT, likeness};
use crate::text::{Span, sentences, tokens};
use crate::turn::{Turn, Who};
use calibration::Calibration;
use choose::{choose, shares};
use offerable::Offerable;
use pool::Pool;
use situation::{Situation, replies};
use std::collections::BTreeSet;

/// Offers at most.
const OFFERS: usize = 3;

/// The chance from which offers are shown: two times of five, one of them is much like what the provider would have written.
pub const SHOWN_FROM: f32 = 0.4;

/// The newest replies that are learned from, so that learning takes seconds and follows the clinic's ways.
const NEWEST: usize = 6000;

/// Parts that the conversations are divided into, each to be tried with what the others taught.
const PARTS: usize = 4;

/// Held-out turns that are tried in each part, about.
const TRIED: usize = 250;

/// The likeliest past replies that are considered as offers.
const CANDIDATES: usize = 120;

/// A proposed reply.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// What to write.
    pub text: String,
    /// How much of what is likely to be written it is like, from 0 to 1.
    pub score: f32,
}

/// What the model proposes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Offers {
    /// Up to three, short to long.
    pub offers: Vec<Offer>,
    /// How much of what is likely to be written they are like together, from 0 to 1.
    pub score: f32,
    /// How often one of the offers is much like what was written, with such a score.
    pub chance: f32,
    /// Whether the chance is high enough to show them; otherwise the model abstains.
    pub shown: bool,
    /// The sentence of the patient's last turn that they rest on most.
    pub basis: Option<Span>,
}

/// What the clinic knows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clinic<'a> {
    /// Its conversations, the oldest first.
    pub conversations: &'a [Vec<Turn>],
    /// Its saved replies, which may be offered as they are.
    pub saved: &'a [String],
    /// Names of patients and providers: no past reply that has one is offered.
    pub names: &'a [String],
}

/// A model of how the clinic replies.
#[derive(Clone, Debug, Default)]
pub struct Model {
    pool: Pool,
    /// Which of the pool's replies may be offered.
    offerable: Vec<bool>,
    /// The saved replies, with their words.
    saved: Vec<(String, Vec<u32>)>,
    calibration: Calibration,
}

impl Model {
    /// Learns. It takes seconds for thousands of replies: not for the path of a message.
    pub fn learn(clinic: Clinic<'_>) -> Self {
        let conversations = newest(clinic.conversations);
        let mut turns = Vec::new();
        for part in 0..PARTS {
            let of_part = |at: &usize| at % PARTS == part;
            let pick = |held: bool| -> Vec<&Vec<Turn>> {
                let all = conversations.iter().enumerate();
                all.filter(|(at, _)| of_part(at) == held).map(|(_, conversation)| conversation).collect()
            };
            let others = Self::uncalibrated(&pick(false), clinic);
            let held = pick(true);
            let tries: Vec<(Situation, &str)> = held.iter().flat_map(|turns| replies(turns)).collect();
            let each = (tries.len() / TRIED).max(1);
            for (situation, reply) in tries.iter().step_by(each) {
                let offers = others.choice(&others.likely(situation));
                let hit = offers.offers.iter().any(|offer| likeness(&offer.text, reply) >= HIT);
                turns.push((offers.score, hit));
            }
        }
        let all: Vec<&Vec<Turn>> = conversations.iter().collect();
        Self { calibration: Calibration::of(turns), ..Self::uncalibrated(&all, clinic) }
    }

    fn uncalibrated(conversations: &[&Vec<Turn>], clinic: Clinic<'_>) -> Self {
        let past: Vec<(Situation, &str)> =
            conversations.iter().flat_map(|conversation| replies(conversation)).collect();
        let texts: Vec<Vec<&str>> =
            conversations.iter().map(|conversation| provider_texts(conversation)).collect();
        let rule = Offerable::of(&texts, clinic.names);
        let mut pool = Pool::of(&past);
        let offerable = past.iter().map(|(_, text)| rule.may(text)).collect();
        let saved = clinic.saved.iter().map(|text| (text.clone(), pool.numbers.set(&tokens(text)))).collect();
        Self { pool, offerable, saved, calibration: Calibration::default() }
    }

    /// What to reply after these turns.
    pub fn offers(&self, turns: &[Turn]) -> Offers {
        let situation = Situation::after(turns);
        let patient = turns.iter().rev().find(|turn| turn.who == Who::Patient);
        let likely = self.likely(&situation);
        Offers { basis: patient.and_then(|turn| self.basis(&likely, &turn.text)), ..self.choice(&likely) }
    }

    /// The past replies that are likely now, each with its share of the likelihood.
    fn likely(&self, situation: &Situation) -> Vec<(usize, f32)> {
        shares(&self.pool.likelihoods(situation))
    }

    fn choice(&self, likely: &[(usize, f32)]) -> Offers {
        let set_of = |at: usize| self.pool.replies.get(at).map_or(&[][..], |reply| reply.set.as_slice());
        let past = likely.iter().filter(|(at, _)| self.offerable.get(*at) == Some(&true));
        let past = past.filter_map(|(at, _)| self.pool.replies.get(*at)).take(CANDIDATES);
        // The saved ones first: of two that serve as well, the one that was written to be used again.
        let saved = self.saved.iter().map(|(text, set)| (text.as_str(), set.as_slice()));
        let candidates: Vec<(&str, &[u32])> =
            saved.chain(past.map(|reply| (reply.text.as_str(), reply.set.as_slice()))).collect();
        let sets: Vec<&[u32]> = candidates.iter().map(|(_, set)| *set).collect();
        let weighed: Vec<(&[u32], f32)> = likely.iter().map(|(at, share)| (set_of(*at), *share)).collect();
        let choice = choose(&weighed, &sets, OFFERS);
        let mut offers: Vec<Offer> = choice
            .offers
            .iter()
            .filter_map(|(at, score)| {
                candidates.get(*at).map(|(text, _)| Offer { text: (*text).to_owned(), score: *score })
            })
            .collect();
        offers.sort_by_key(|offer| offer.text.chars().count());
        let chance = self.calibration.chance(choice.share);
        let shown = chance >= SHOWN_FROM && !offers.is_empty();
        Offers { offers, score: choice.share, chance, shown, basis: None }
    }

    /// The sentence whose words speak most for what is likely.
    fn basis(&self, likely: &[(usize, f32)], text: &str) -> Option<Span> {
        let mut shares = vec![0.0; self.pool.replies.len()];
        for (at, share) in likely {
            if let Some(place) = shares.get_mut(*at) {
                *place = *share;
            }
        }
        let weight = |sentence: &str| -> f32 {
            let words: BTreeSet<String> = tokens(sentence).into_iter().collect();
            let places = words.iter().flat_map(|word| self.pool.bm25.places(word));
            places.map(|(at, weight)| weight * shares.get(*at).copied().unwrap_or_default()).sum()
        };
        let best = sentences(text)
            .into_iter()
            .map(|bytes| (weight(text.get(bytes.clone()).unwrap_or_default()), bytes))
            .filter(|(weight, _)| *weight > 0.0)
            .max_by(|(a, _), (b, _)| a.total_cmp(b))?;
        Span::of(text, best.1)
    }
}

pub(crate) fn provider_texts(conversation: &[Turn]) -> Vec<&str> {
    conversation.iter().filter(|turn| turn.who == Who::Provider).map(|turn| turn.text.as_str()).collect()
}

/// The newest conversations, with no more replies than are learned from.
fn newest(conversations: &[Vec<Turn>]) -> &[Vec<Turn>] {
    let mut room = NEWEST;
    let fits = conversations.iter().rev().take_while(|conversation| {
        let replies = provider_texts(conversation).len();
        let fits = replies <= room;
        room = room.saturating_sub(replies);
        fits
    });
    let kept = fits.count();
    conversations.get(conversations.len() - kept..).unwrap_or_default()
}

#[cfg(test)]
mod tests;
