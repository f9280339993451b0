//! `bedside-server suggest-eval`: how well replies would have been suggested, measured on recorded consultations.

use crate::cli::SuggestEval;
use bedside_suggest::measure::{HIT, likeness, rouge_l};
use bedside_suggest::questions::{Questions, questions};
use bedside_suggest::replies::{Clinic, Model, Offers};
use bedside_suggest::{Turn, Who, turns};
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write, stdout};
use std::path::Path;
use std::time::{Duration, Instant};

/// A recorded consultation; its other fields don't matter here.
#[derive(Deserialize)]
struct Consultation {
    id: String,
    turns: Vec<Said>,
}

#[derive(Deserialize)]
struct Said {
    who: Side,
    text: String,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Side {
    Patient,
    Provider,
}

/// A line of the output: what would have been offered in place of one turn of a provider.
#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    /// The turn's place in its consultation, from 0.
    turn: usize,
    offers: Vec<Offered<'a>>,
    /// Of all offers together.
    score: f32,
    /// The calibrated chance that one of them is a hit.
    chance: f32,
    /// Whether they would have been shown.
    shown: bool,
    hit: bool,
    rouge_l: f32,
}

#[derive(Serialize)]
struct Offered<'a> {
    text: &'a str,
    score: f32,
}

/// How near the best of some offers came to the reply.
#[derive(Clone, Copy, Default)]
struct Quality {
    hit: bool,
    rouge: f32,
}

impl Quality {
    fn of<'a>(offers: impl Iterator<Item = &'a str>, reply: &str) -> Self {
        offers.fold(Self::default(), |best, offer| Self {
            hit: best.hit || likeness(offer, reply) >= HIT,
            rouge: best.rouge.max(rouge_l(offer, reply)),
        })
    }
}

/// A provider's turn, and what each way to suggest would have made of it.
struct Tried {
    consultation: usize,
    turn: usize,
    offers: Offers,
    model: Quality,
    popular: Quality,
    nearest: Quality,
    /// Next questions that were proposed, and how many of them were asked then or later.
    questions: (usize, usize),
}

/// Learns, tries, prints, and writes the offers.
pub fn run(arguments: &SuggestEval) -> Result<(), Box<dyn Error>> {
    let history = read(&arguments.history)?;
    let (mut learning, mut offering) = (Duration::ZERO, Duration::ZERO);
    let mut tried = Vec::new();
    let test = match (&arguments.test, arguments.folds) {
        (Some(test), _) => {
            let test = read(test)?;
            let known: Vec<&Consultation> = history.iter().collect();
            let asked: Vec<(usize, &Consultation)> = test.iter().enumerate().collect();
            tried.extend(attempt(&known, &asked, &mut learning, &mut offering));
            test
        }
        (None, folds) => {
            let folds = folds.unwrap_or(2);
            for fold in 0..folds {
                let (asked, known): (Vec<_>, Vec<_>) =
                    history.iter().enumerate().partition(|(at, _)| at % folds == fold);
                let known: Vec<&Consultation> = known.into_iter().map(|(_, known)| known).collect();
                tried.extend(attempt(&known, &asked, &mut learning, &mut offering));
            }
            tried.sort_by_key(|tried| (tried.consultation, tried.turn));
            history
        }
    };
    if let Some(out) = &arguments.out {
        write(out, &test, &tried)?;
    }
    report(&tried, test.len(), learning, offering)?;
    Ok(())
}

fn read(path: &Path) -> Result<Vec<Consultation>, Box<dyn Error>> {
    let at = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let file = File::open(path).map_err(|error| at(&error))?;
    let mut consultations = Vec::new();
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = line.map_err(|error| at(&error))?;
        if !line.trim().is_empty() {
            // The error names the place and not what is there.
            let wrong = |error: serde_json::Error| {
                at(&format_args!("line {}, column {}: no consultation", number + 1, error.column()))
            };
            consultations.push(serde_json::from_str(&line).map_err(wrong)?);
        }
    }
    Ok(consultations)
}

fn as_turns(said: &[Said]) -> Vec<Turn> {
    let who = |side| if side == Side::Patient { Who::Patient } else { Who::Provider };
    turns(said.iter().map(|said| (who(said.who), said.text.as_str())))
}

/// Learns from `known`, and tries each turn of a provider in `asked`.
fn attempt(
    known: &[&Consultation],
    asked: &[(usize, &Consultation)],
    learning: &mut Duration,
    offering: &mut Duration,
) -> Vec<Tried> {
    let conversations: Vec<Vec<Turn>> = known.iter().map(|known| as_turns(&known.turns)).collect();
    let begun = Instant::now();
    let clinic = Clinic { conversations: &conversations, ..Clinic::default() };
    let model = Model::learn(clinic);
    let next = Questions::learn(clinic);
    *learning += begun.elapsed();
    let popular = model.popular();
    let mut tried = Vec::new();
    for (consultation, asked) in asked {
        for (turn, said) in asked.turns.iter().enumerate().filter(|(_, said)| said.who == Side::Provider) {
            let before = as_turns(asked.turns.get(..turn).unwrap_or_default());
            let begun = Instant::now();
            let offers = model.offers(&before);
            *offering += begun.elapsed();
            let rest = as_turns(asked.turns.get(turn..).unwrap_or_default());
            let proposed = next.next(&before);
            let comes = |text: &str| questions(&rest).any(|question| likeness(text, question) >= HIT);
            let right = proposed.iter().filter(|proposed| comes(&proposed.text)).count();
            tried.push(Tried {
                consultation: *consultation,
                turn,
                model: Quality::of(offers.offers.iter().map(|offer| offer.text.as_str()), &said.text),
                popular: Quality::of(popular.iter().copied(), &said.text),
                nearest: Quality::of(model.nearest(&before).into_iter(), &said.text),
                offers,
                questions: (proposed.len(), right),
            });
        }
    }
    tried
}

fn write(path: &Path, test: &[Consultation], tried: &[Tried]) -> Result<(), Box<dyn Error>> {
    let at = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut out = BufWriter::new(File::create(path).map_err(at)?);
    for tried in tried {
        let Tried { offers, model, .. } = tried;
        let line = Line {
            id: test.get(tried.consultation).map_or("", |test| &test.id),
            turn: tried.turn,
            offers: offers
                .offers
                .iter()
                .map(|offer| Offered { text: &offer.text, score: offer.score })
                .collect(),
            score: offers.score,
            chance: offers.chance,
            shown: offers.shown,
            hit: model.hit,
            rouge_l: model.rouge,
        };
        serde_json::to_writer(&mut out, &line)?;
        out.write_all(b"\n").map_err(at)?;
    }
    Ok(out.flush().map_err(at)?)
}

/// The share of hits, and the mean ROUGE-L.
fn mean(qualities: impl Iterator<Item = Quality>) -> (f32, f32) {
    let (mut number, mut hits, mut rouge) = (0.0_f32, 0.0, 0.0);
    for quality in qualities {
        number += 1.0;
        hits += f32::from(quality.hit);
        rouge += quality.rouge;
    }
    (hits / number.max(1.0), rouge / number.max(1.0))
}

fn report(
    tried: &[Tried],
    consultations: usize,
    learning: Duration,
    offering: Duration,
) -> std::io::Result<()> {
    let mut out = stdout().lock();
    let turns = tried.len();
    writeln!(out, "{turns} turns of providers in {consultations} consultations")?;
    writeln!(
        out,
        "learning took {:.1} s, an offer {:.2} ms\n",
        learning.as_secs_f64(),
        offering.as_secs_f64() * 1000.0 / turns.max(1) as f64
    )?;
    writeln!(out, "{:<22} {:>6} {:>10}", "", "hit@3", "ROUGE-L@3")?;
    let mut row = |name: &str, (hit, rouge): (f32, f32)| writeln!(out, "{name:<22} {hit:>6.3} {rouge:>10.3}");
    row("the popular three", mean(tried.iter().map(|tried| tried.popular)))?;
    row("BM25", mean(tried.iter().map(|tried| tried.nearest)))?;
    row("model, always", mean(tried.iter().map(|tried| tried.model)))?;
    row(
        "model, where shown",
        mean(tried.iter().filter(|tried| tried.offers.shown).map(|tried| tried.model)),
    )?;
    let shown = tried.iter().filter(|tried| tried.offers.shown).count();
    writeln!(out, "\nshown for {shown} of {turns}: coverage {:.3}", shown as f32 / turns.max(1) as f32)?;
    let proposed: usize = tried.iter().map(|tried| tried.questions.0).sum();
    let right: usize = tried.iter().map(|tried| tried.questions.1).sum();
    writeln!(
        out,
        "next questions: {proposed} proposed, {:.3} of them asked then or later",
        right as f32 / proposed.max(1) as f32
    )?;

    let mut order: Vec<&Tried> = tried.iter().collect();
    order.sort_by(|a, b| b.offers.score.total_cmp(&a.offers.score));
    writeln!(
        out,
        "\nthe turns with the highest scores\n{:>8} {:>6} {:>10} {:>7}",
        "coverage", "hit@3", "ROUGE-L@3", "score"
    )?;
    for percent in [5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100] {
        // Those with the same score as the last one belong to them: their order says nothing.
        let last = order.get((turns * percent / 100).saturating_sub(1));
        let score = last.map_or(0.0, |tried| tried.offers.score);
        let best: Vec<&&Tried> = order.iter().take_while(|tried| tried.offers.score >= score).collect();
        let (hit, rouge) = mean(best.iter().map(|tried| tried.model));
        let coverage = best.len() as f32 / turns.max(1) as f32;
        writeln!(out, "{coverage:>8.3} {hit:>6.3} {rouge:>10.3} {score:>7.3}")?;
    }
    Ok(())
}
