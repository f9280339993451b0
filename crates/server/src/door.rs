//! The door: what a socket's packet says, before anything is done about it. It runs where the packet is read, so it
//! never waits; a frame that is refused here was never queued.

use crate::metrics::Metrics;
use crate::rate::Bucket;
use crate::session::{End, Ending, Frame, Sink, Undelivered};
use bedside_protocol::{
    Code, ConversationId, EntryId, Limits, MAX_TOKEN_BYTES, Refusal, Rejected, ServerFrame,
};
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Longest event name that a refusal quotes.
const MAX_EVENT_CHARS: usize = 64;
/// Most JSON that the name of a search can take: each character escaped.
const MAX_OF_BYTES: usize = 6 * MAX_TOKEN_BYTES + 2;
/// Frames other than `send` that one socket may sustain a second: no person gets there, a catching-up client may.
const OTHERS_PER_S: u32 = 100;
/// Frames beyond both bursts that a socket may queue while a disk stalls.
const SLACK: usize = 16;

/// Frames of one socket that wait for their turn: the bursts of both buckets, and some. With [`Limits::frame_bytes`] it
/// bounds the memory that one socket can take.
pub fn queue(limits: &Limits) -> (mpsc::Sender<Incoming>, mpsc::Receiver<Incoming>) {
    let per_s = limits.sends_per_s.saturating_add(OTHERS_PER_S) as usize;
    mpsc::channel(Bucket::BURST as usize * per_s + SLACK)
}

/// Tells a client that asked for an acknowledgement what became of its frame.
pub type Ack = Box<dyn FnOnce(&RawValue) -> Result<(), Undelivered> + Send + Sync>;

/// What a refusal of a frame says of the frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// The event's name.
    pub of: String,
    /// The `id`, if it has one.
    pub id: Option<EntryId>,
    /// The `conversation`, if it has one.
    pub conversation: Option<ConversationId>,
    /// The own name of a search, if it is one.
    pub search: Option<String>,
}

impl Subject {
    /// `refusal`, addressed.
    pub fn rejected(self, refusal: Refusal) -> Rejected {
        Rejected {
            of: self.of,
            id: self.id,
            conversation: self.conversation,
            search: self.search,
            code: refusal.code,
            message: refusal.message,
            retry_after_ms: refusal.retry_after_ms,
        }
    }
}

/// A frame that came in.
pub struct Incoming {
    /// The event's name, and what else a refusal has to say.
    pub subject: Subject,
    /// Its argument, as text: built, JSON may take ten times the memory, and frames may wait here.
    pub data: Box<RawValue>,
    /// Asked for by the client.
    pub ack: Option<Ack>,
}

/// A socket's door.
pub struct Door {
    queue: mpsc::Sender<Incoming>,
    sends: Mutex<Bucket>,
    others: Mutex<Bucket>,
    limits: Limits,
    ending: Arc<Ending>,
    metrics: Arc<Metrics>,
}

impl Door {
    /// A door before `queue`.
    pub fn new(
        queue: mpsc::Sender<Incoming>,
        limits: Limits,
        ending: Arc<Ending>,
        metrics: Arc<Metrics>,
        now: Instant,
    ) -> Self {
        Self {
            queue,
            sends: Mutex::new(Bucket::new(limits.sends_per_s, now)),
            others: Mutex::new(Bucket::new(OTHERS_PER_S, now)),
            limits,
            ending,
            metrics,
        }
    }

    /// Takes a packet's text, `["event", argument]`, in; or refuses it by way of `sink`. A full queue ends the socket.
    pub fn take(&self, text: &str, binary: bool, ack: Option<Ack>, now: Instant, sink: &dyn Sink) {
        let (subject, result) = read(text, binary, &self.limits);
        let bucket = if subject.of == "send" { &self.sends } else { &self.others };
        let taken = bucket.lock().unwrap_or_else(PoisonError::into_inner).take(now);
        let data = taken.map_err(too_many).and(result);
        match data {
            Ok(data) => {
                if self.queue.try_send(Incoming { subject, data, ack }).is_err() {
                    self.ending.end(End::Slow);
                }
            }
            Err(refusal) => {
                self.metrics.rejected(refusal.code);
                if let Err(undelivered) = reject(subject, refusal, ack, |frame| sink.emit(frame)) {
                    self.ending.end(undelivered.into());
                }
            }
        }
    }
}

fn too_many(wait: Duration) -> Refusal {
    // Rounded up: coming back a moment early would only be refused again.
    let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
    Refusal::later(Code::RateLimited, "more frames than the limit allows", wait)
}

/// Emits a refusal, and acknowledges with it where that was asked for.
pub fn reject(
    subject: Subject,
    refusal: Refusal,
    ack: Option<Ack>,
    emit: impl FnOnce(&Frame) -> Result<(), Undelivered>,
) -> Result<(), Undelivered> {
    #[derive(Serialize)]
    struct Error<'a> {
        code: Code,
        message: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<u64>,
    }
    #[derive(Serialize)]
    struct Refused<'a> {
        error: Error<'a>,
    }
    let error =
        Error { code: refusal.code, message: &refusal.message, retry_after_ms: refusal.retry_after_ms };
    let acknowledgement = to_raw_value(&Refused { error }).unwrap_or_default();
    emit(&Frame::new(&ServerFrame::Rejected(subject.rejected(refusal))))?;
    match ack {
        Some(ack) => ack(&acknowledgement),
        None => Ok(()),
    }
}

/// The parts of a packet, not yet parsed.
#[derive(Default)]
struct Packet<'a> {
    event: Option<&'a RawValue>,
    argument: Option<&'a RawValue>,
    more: usize,
}

impl<'de> Deserialize<'de> for Packet<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements;
        impl<'de> Visitor<'de> for Elements {
            type Value = Packet<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an array")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Packet<'de>, A::Error> {
                let mut packet =
                    Packet { event: elements.next_element()?, argument: elements.next_element()?, more: 0 };
                while elements.next_element::<IgnoredAny>()?.is_some() {
                    packet.more += 1;
                }
                Ok(packet)
            }
        }
        deserializer.deserialize_seq(Elements)
    }
}

/// What a refusal needs of an argument that may be anything.
#[derive(Default, Deserialize)]
struct Head<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    conversation: Option<&'a RawValue>,
    #[serde(borrow, default)]
    of: Option<&'a RawValue>,
}

/// Reads a packet's text. What can be said of it is said even if it is refused, and a text that is too large is looked
/// through but not built.
fn read(text: &str, binary: bool, limits: &Limits) -> (Subject, Result<Box<RawValue>, Refusal>) {
    fn small<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Option<T> {
        serde_json::from_str(raw?.get()).ok()
    }
    let packet: Packet<'_> = serde_json::from_str(text).unwrap_or_default();
    let event: String = small(packet.event).unwrap_or_default();
    let head: Head<'_> = small(packet.argument).unwrap_or_default();
    let search = head.of.filter(|of| event == "search" && of.get().len() <= MAX_OF_BYTES);
    let subject = Subject {
        of: event.chars().take(MAX_EVENT_CHARS).collect(),
        id: small(head.id),
        conversation: small(head.conversation),
        search: small(search).filter(|of: &String| of.len() <= MAX_TOKEN_BYTES),
    };
    let invalid = |message| Err(Refusal::new(Code::Invalid, message));
    let result = match packet.argument {
        _ if text.len() > limits.frame_bytes as usize => {
            Err(Refusal::new(Code::TooLarge, format!("a frame has at most {} bytes", limits.frame_bytes)))
        }
        _ if binary => invalid("a frame has no binary parts"),
        Some(argument) if packet.more == 0 => Ok(argument.to_owned()),
        _ => invalid("an event has exactly one argument"),
    };
    (subject, result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

    fn limits() -> Limits {
        Limits { frame_bytes: 1000, ..Limits::default() }
    }

    fn code(text: &str) -> (Subject, Option<Code>) {
        let (subject, result) = read(text, false, &limits());
        (subject, result.err().map(|refusal| refusal.code))
    }

    #[test]
    fn a_frame_is_an_event_and_one_argument() {
        let (subject, result) = read(r#"["read",{"conversation":"c-1","upto":3}]"#, false, &limits());
        assert_eq!(subject.of, "read");
        assert_eq!(subject.conversation, Some(ConversationId::new("c-1").unwrap()));
        assert_eq!(result.unwrap().get(), r#"{"conversation":"c-1","upto":3}"#);
        for text in ["", "[]", "{}", "null", r#"["send"]"#, r#"["send",1,2]"#, r#"["send",{}"#] {
            assert_eq!(code(text).1, Some(Code::Invalid), "{text}");
        }
        let (_, result) = read(r#"["send",{"_placeholder":true,"num":0}]"#, true, &limits());
        assert_eq!(result.unwrap_err().code, Code::Invalid);
    }

    #[test]
    fn a_large_frame_is_refused_by_its_id() {
        let text = format!(
            r#"["send",{{"body":{{"kind":"text","text":"{}"}},"id":"{ID}","conversation":"c-1"}}]"#,
            "x".repeat(1000)
        );
        let (subject, code) = code(&text);
        assert_eq!(code, Some(Code::TooLarge));
        assert_eq!(subject.id, Some(ID.parse().unwrap()));
        assert_eq!(subject.conversation, Some(ConversationId::new("c-1").unwrap()));
    }

    #[test]
    fn a_refused_search_is_named_as_its_asker_named_it() {
        let search =
            |event: &str, of: &str| code(&format!(r#"["{event}",{{"of":{of},"phrases":1}}]"#)).0.search;
        assert_eq!(search("search", r#""7""#), Some("7".to_owned()));
        assert_eq!(search("send", r#""7""#), None);
        assert_eq!(search("search", "7"), None);
        assert_eq!(search("search", &format!("\"{}\"", "x".repeat(MAX_TOKEN_BYTES + 1))), None);
    }

    #[test]
    fn depth_is_no_weapon() {
        let deeper = format!("[\"send\",{}", "[".repeat(1_000_000));
        assert_eq!(code(&deeper).1, Some(Code::TooLarge));
    }

    #[test]
    fn a_long_event_name_is_cut() {
        let (subject, _) = code(&format!("[\"{}\",{{}}]", "é".repeat(200)));
        assert_eq!(subject.of.chars().count(), MAX_EVENT_CHARS);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(text in ".{0,200}", binary: bool) {
            let (subject, result) = read(&text, binary, &limits());
            prop_assert!(subject.of.chars().count() <= MAX_EVENT_CHARS);
            prop_assert!(!binary || result.is_err());
        }
    }
}
