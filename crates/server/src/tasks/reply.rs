//! What one could answer: up to three replies to the patient's newest message, written by a model service.

use super::{Advice, Attempt, Lane, Reading, Task, Trouble};
use crate::services::breaker::State;
use crate::services::mask::Mask;
use crate::services::said::{Line, said, transcript};
use crate::services::{Fault, Question, Service, growing, read};
use bedside_protocol::{Body, Extra, Role, SuggestionItem};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// Its name on the wire.
pub const NAME: &str = "reply";
/// A prompt that has been used isn't changed: another one is another version.
const PROMPT: &str = include_str!("../../prompts/reply.v1.md");
const VERSION: &str = "reply.v1";
/// More than these nobody reads.
const MOST: usize = 3;
/// Beyond the service's own time, so that this one ends first and its breaker learns of it.
const MARGIN: Duration = Duration::from_secs(5);

/// Fields in the order in which they are to be written: what a reply rests on first. It is that of the alphabet, since not
/// every build keeps another.
static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let text = json!({"type": "string"});
    let reply = json!({
        "type": "object",
        "properties": {"because": text, "text": text},
        "required": ["because", "text"],
        "additionalProperties": false,
    });
    json!({
        "type": "object",
        "properties": {"replies": {"type": "array", "items": reply, "maxItems": MOST}},
        "required": ["replies"],
        "additionalProperties": false,
    })
});

#[derive(Deserialize)]
struct Replies {
    replies: Vec<Written>,
}

#[derive(Deserialize)]
struct Written {
    text: String,
    #[serde(default)]
    because: String,
}

struct Reply(Arc<Service>);

/// The task that asks `service`.
pub fn task(service: Arc<Service>) -> Arc<dyn Task> {
    Arc::new(Reply(service))
}

impl Task for Reply {
    fn name(&self) -> &'static str {
        NAME
    }

    fn lane(&self) -> Lane {
        Lane::Reply
    }

    fn wanted(&self, role: Role, body: &Body) -> bool {
        role == Role::Patient && (body.is_message() || body.amends().is_some())
    }

    fn timeout(&self) -> Duration {
        self.0.timeout + MARGIN
    }

    fn service(&self) -> Option<(&str, State)> {
        Some((&self.0.name, self.0.state()))
    }

    fn attempt<'a>(&'a self, reading: &'a Reading) -> Attempt<'a> {
        Box::pin(async { self.write(reading).await.map_err(Trouble::from) })
    }
}

impl Reply {
    async fn write(&self, reading: &Reading) -> Result<Advice, Fault> {
        let Reading { patient, conversation, entries, draft } = reading;
        let lines = said(entries);
        let mut sent = lines.clone();
        let mask = match self.0.placeholders {
            true => Mask::over(patient, conversation, sent.iter_mut().map(|line| &mut line.text)),
            false => Mask::default(),
        };
        // Masked before it is cut: half a name wouldn't be known as one.
        let transcript = transcript(&sent, self.0.context_chars);
        let question = Question {
            system: PROMPT,
            user: &format!("<conversation>\n{transcript}\n</conversation>"),
            answer: ("replies", &SCHEMA),
        };
        let mut heard =
            |text: &str| draft.grown(|| growing(text, "text").map(|text| mask.restore_growing(&text)));
        let answer = self.0.ask(&question, &mut heard).await?;
        let Replies { replies } = read(&answer)?;
        let restored =
            replies.iter().map(|Written { text, because }| (mask.restore(text), mask.restore(because)));
        let mut items: Vec<SuggestionItem> = Vec::new();
        for (text, because) in restored.filter(|(text, _)| !text.trim().is_empty()) {
            let text = text.trim().to_owned();
            if items.len() < MOST && items.iter().all(|item| item.text != text) {
                items.push(SuggestionItem { text, extra: rests_on(&lines, &because) });
            }
        }
        items.sort_by_key(|item| item.text.chars().count());
        let abstained = items.is_empty().then(|| "nothing_to_answer".to_owned());
        Ok(Advice { items, model: self.0.model.clone(), version: VERSION.to_owned(), abstained })
    }
}

/// Where the patient's words stand that a reply rests on, if the model quoted some: `rests_on`, in UTF-16 code units as a
/// page counts them.
fn rests_on(lines: &[Line], quote: &str) -> Extra {
    let quote = quote.trim();
    let patients = lines.iter().rev().filter(|line| line.by_patient && !quote.is_empty());
    let found = patients.filter_map(|line| Some((line, line.text.find(quote)?))).next();
    let place = found.map(|(line, at)| {
        let units = |text: &str| text.encode_utf16().count();
        let start = units(line.text.get(..at).unwrap_or_default());
        json!([{"seq": line.seq, "start": start, "end": start + units(quote)}])
    });
    place.map(|place| ("rests_on".to_owned(), place)).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bedside_protocol::Seq;
    use sha2::{Digest, Sha256};

    /// Whoever changes the prompt makes a new file, and this digest anew.
    #[test]
    fn a_version_is_one_prompt() {
        let digest: String = Sha256::digest(PROMPT).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            (VERSION, digest.as_str()),
            ("reply.v1", "8cccfd62b6805ec0522269bc1d204d3e4b787d5a0c40541b09eb727b1c298fe2")
        );
    }

    #[test]
    fn a_quote_is_found_in_the_patients_newest_words_or_not_at_all() {
        let line = |seq, by_patient, text: &str| Line { seq: Seq::new(seq), by_patient, text: text.into() };
        let lines =
            [line(1, true, "It hurts"), line(2, true, "😀 It hurts. A lot."), line(3, false, "It hurts?")];
        assert_eq!(rests_on(&lines, " It hurts. ")["rests_on"], json!([{"seq": 2, "start": 3, "end": 12}]));
        assert_eq!(rests_on(&lines, "It hurts?"), Extra::new());
        assert_eq!(rests_on(&lines, " "), Extra::new());
    }
}
