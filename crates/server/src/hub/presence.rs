//! Which providers are there, and what they look at. A person with several sockets is one person.

use super::Clinic;
use crate::session::Frame;
use bedside_protocol::{Presence, PresenceState, ServerFrame, Who};
use std::collections::BTreeMap;

/// How `who` is there: online while one socket is, looking at what the newest socket that looks at something does.
pub fn of(clinic: &Clinic, who: &Who) -> Presence {
    let mut theirs =
        clinic.providers.values().rev().filter(|provider| provider.session.who.id == who.id).peekable();
    let state = match theirs.peek() {
        Some(_) => PresenceState::Online,
        None => PresenceState::Offline,
    };
    Presence { who: who.clone(), viewing: theirs.find_map(|provider| provider.viewing.clone()), state }
}

/// The frames that tell a newcomer which others are there.
pub fn others(clinic: &Clinic, newcomer: &Who) -> Vec<Frame> {
    let people: BTreeMap<_, _> = clinic
        .providers
        .values()
        .map(|provider| (&provider.session.who.id, &provider.session.who))
        .filter(|(id, _)| **id != newcomer.id)
        .collect();
    let frame = |who| Frame::new(&ServerFrame::Presence(of(clinic, who)));
    people.into_values().map(frame).collect()
}
