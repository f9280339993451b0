use super::*;
use crate::turn::turns;
use proptest::prelude::*;

/// A clinic that asks since when it hurts, whatever hurts, and then says goodbye; each time in other words.
fn conversations(number: usize) -> Vec<Vec<Turn>> {
    const PLACES: [&str; 5] = ["back", "knee", "head", "neck", "foot"];
    const ASKED: [&str; 3] =
        ["Since when does it hurt?", "And since when does it hurt", "OK, since when does it hurt now?"];
    const BYES: [&str; 3] = ["Take care, goodbye", "Goodbye and take care!", "Take good care, goodbye"];
    (0..number)
        .map(|at| {
            let of = |texts: &[&'static str]| texts[at % texts.len()];
            let complaint = format!("My {} hurts", of(&PLACES));
            turns([
                (Who::Patient, complaint.as_str()),
                (Who::Provider, of(&ASKED)),
                (Who::Patient, "For a week, thanks"),
                (Who::Provider, of(&BYES)),
            ])
        })
        .collect()
}

fn texts(offers: &Offers) -> Vec<&str> {
    offers.offers.iter().map(|offer| offer.text.as_str()).collect()
}

#[test]
fn the_clinics_own_reply_to_such_a_situation_is_offered_and_shown() {
    let conversations = conversations(120);
    let model = Model::learn(Clinic { conversations: &conversations, ..Clinic::default() });
    let asked = turns([(Who::Patient, "Hello. My elbow hurts.")]);
    let offers = model.offers(&asked);
    assert!(offers.shown && offers.chance > 0.9, "{offers:?}");
    assert!(texts(&offers).iter().all(|text| text.contains("ince when does it hurt")), "{offers:?}");
    assert_eq!(offers.basis, Some(Span { start: 7, end: 22 }), "what hurts, not the greeting");
    let lengths: Vec<usize> = texts(&offers).iter().map(|text| text.len()).collect();
    assert!(lengths.is_sorted(), "short to long");
}

#[test]
fn too_little_to_learn_from_shows_nothing() {
    let model = Model::learn(Clinic::default());
    assert_eq!(model.offers(&turns([(Who::Patient, "Hi")])), Offers::default());
    let few = conversations(12);
    let model = Model::learn(Clinic { conversations: &few, ..Clinic::default() });
    assert!(!model.offers(&turns([(Who::Patient, "My back hurts")])).shown);
}

#[test]
fn a_saved_reply_is_offered_where_such_replies_are_likely_whatever_it_says() {
    let mut conversations = conversations(60);
    for conversation in &mut conversations {
        conversation[1].text = "Since when does it hurt, 2 days or 3?".into();
    }
    let saved = ["Since when does it hurt? Call 112 if it is bad".to_owned()];
    let model = Model::learn(Clinic { conversations: &conversations, saved: &saved, names: &[] });
    assert!(texts(&model.offers(&turns([(Who::Patient, "My back hurts")]))).contains(&saved[0].as_str()));
}

#[test]
fn what_was_said_to_one_patient_is_never_offered() {
    let mut conversations = conversations(60);
    for (at, conversation) in conversations.iter_mut().enumerate() {
        if at.is_multiple_of(2) {
            conversation[1].text = "Since when does it hurt, Martha? Take 2 a day".into();
        }
    }
    let model = Model::learn(Clinic { conversations: &conversations, ..Clinic::default() });
    let offers = model.offers(&turns([(Who::Patient, "My back hurts")]));
    assert!(!offers.offers.is_empty());
    assert!(texts(&offers).iter().all(|text| !text.contains("Martha")), "{offers:?}");
}

#[test]
fn the_same_history_gives_the_same_offers() {
    let conversations = conversations(40);
    let learn = || Model::learn(Clinic { conversations: &conversations, ..Clinic::default() });
    let asked = turns([(Who::Patient, "My neck hurts")]);
    assert_eq!(learn().offers(&asked), learn().offers(&asked));
}

#[test]
fn the_newest_replies_are_kept() {
    let all: Vec<Vec<Turn>> = conversations(NEWEST / 2 + 5);
    assert_eq!(newest(&all).len(), NEWEST / 2);
    assert_eq!(newest(&all).last(), all.last());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_texts_are_learned_from_and_answered(
        texts in prop::collection::vec(("\\PC{0,20}|[ab1é😀 .?]{0,12}", any::<bool>()), 0..60),
    ) {
        let side = |patient: bool| if patient { Who::Patient } else { Who::Provider };
        let all: Vec<Vec<Turn>> =
            texts.chunks(6).map(|part| turns(part.iter().map(|(text, patient)| (side(*patient), text.as_str())))).collect();
        let model = Model::learn(Clinic { conversations: &all, ..Clinic::default() });
        for conversation in &all {
            let offers = model.offers(conversation);
            prop_assert!(offers.offers.len() <= OFFERS);
            prop_assert!(offers.score.is_finite() && offers.score >= 0.0 && offers.score < 1.01);
        }
    }
}
