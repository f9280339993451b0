//! Opening conversations, and the cache itself.

use crate::fill::{CONVERSATIONS, Filled, conversation};
use crate::times::Times;
use bedside_protocol::ConversationId;
use bedside_store::Reader;
use bedside_tests::results::Figure;
use fastrand::Rng;

/// Conversations.
const OPENED: usize = 1_000;
/// As many entries as the window asks for first.
const NEWEST: u32 = 200;
/// Milliseconds.
const AIM: f64 = 5.0;

/// Conversations chosen at random.
pub fn chosen() -> Vec<ConversationId> {
    let mut rng = Rng::with_seed(13);
    (0..OPENED).map(|_| conversation(rng.u64(..CONVERSATIONS))).collect()
}

/// Opens one as the window does.
pub fn open(reader: &Reader, id: &ConversationId) {
    reader.conversation(id, NEWEST, None).expect("the cache");
}

pub fn measure(filled: &Filled, what: &str) -> Vec<Figure> {
    let reader = Reader::open(&filled.files).expect("the cache");
    let any = Times::of(&chosen(), |id| open(&reader, id));
    let long = Times::of(&vec![conversation(0); OPENED], |id| open(&reader, id));
    vec![
        any.aim(&format!("opening a conversation of {what}"), AIM),
        long.aim(&format!("opening the longest conversation of {what}"), AIM),
    ]
}
