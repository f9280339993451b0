//! What a service answers, read as tolerantly as near-compatible services need: fields may be missing, reasons unknown.
//! But no piece of the text may: a draft without its "not" is worse than none.

use super::Fault;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Longest text: what a suggestion may weigh, and a model's thinking before it.
const MAX_TEXT_BYTES: usize = 128 * 1024;

/// An answer that grows.
#[derive(Debug, Default)]
pub struct Answer {
    /// Its text so far.
    pub text: String,
    /// Whether it was said to be all.
    pub complete: bool,
    /// Whether nothing comes any more, though the connection may stay open.
    pub done: bool,
}

impl Answer {
    /// Takes the next event of a stream, or the whole of an answer that isn't streamed.
    pub fn add(&mut self, event: &str) -> Result<(), Fault> {
        if event.trim() == "[DONE]" {
            (self.complete, self.done) = (true, true);
            return Ok(());
        }
        let event: Value = serde_json::from_str(event).map_err(|_| Fault::Nonsense)?;
        if let Some(error) = event.get("error").filter(|error| !error.is_null()) {
            return Err(fault(error));
        }
        // Usage, pings as empty objects, and whatever else has no choice says nothing.
        let Some(choice) = event.get("choices").and_then(|choices| choices.get(0)) else { return Ok(()) };
        for said in ["delta", "message"].iter().filter_map(|key| choice.get(key)?.get("content")) {
            self.say(said);
        }
        if let Some(said) = choice.get("text") {
            self.say(said);
        }
        let reason = choice.get("finish_reason").and_then(Value::as_str);
        self.complete |= reason.is_some_and(|reason| !reason.is_empty());
        if self.text.len() > MAX_TEXT_BYTES { Err(Fault::Nonsense) } else { Ok(()) }
    }

    /// A text, or parts that have some.
    fn say(&mut self, said: &Value) {
        match said {
            Value::String(text) => self.text.push_str(text),
            Value::Array(parts) => {
                parts
                    .iter()
                    .filter_map(|part| part.get("text")?.as_str())
                    .for_each(|text| self.text.push_str(text));
            }
            _ => {}
        }
    }
}

/// The fault that a stream tells of in its middle, after the answer had begun with 200.
fn fault(error: &Value) -> Fault {
    let code = ["code", "status"].iter().filter_map(|key| error.get(key)).find_map(|code| match code {
        Value::String(code) => code.parse().ok(),
        code => code.as_u64(),
    });
    match code {
        Some(code @ 400..500) if code != 408 && code != 429 => Fault::Refused,
        _ => Fault::Later(None),
    }
}

/// What the text says, as the type that was asked for. Models may think aloud before it, or fence it.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    let text = text.rsplit_once("</think>").map_or(text, |(_, said)| said);
    let object = text.find('{').zip(text.rfind('}')).and_then(|(from, to)| text.get(from..=to));
    serde_json::from_str(object.unwrap_or_default()).map_err(|_| Fault::Nonsense)
}

/// The first text under `key` of JSON that hasn't ended, as far as it has come.
pub fn growing(json: &str, key: &str) -> Option<String> {
    let (_, after) = json.split_once(&format!("\"{key}\""))?;
    let string = after.trim_start().strip_prefix(':')?.trim_start();
    let inside = string.strip_prefix('"')?;
    let mut escaped = false;
    let end = inside.find(|c: char| match c {
        _ if escaped => {
            escaped = false;
            false
        }
        '\\' => {
            escaped = true;
            false
        }
        c => c == '"',
    });
    // An escape that has only begun is left out: the longest is a pair of surrogates.
    let whole = inside.get(..end.unwrap_or(inside.len()))?;
    (0..=12)
        .filter_map(|less| whole.get(..whole.len().checked_sub(less)?))
        .find_map(|text| serde_json::from_str(&format!("\"{text}\"")).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn answer(events: &[&str]) -> Result<Answer, Fault> {
        let mut answer = Answer::default();
        events.iter().try_for_each(|event| answer.add(event)).map(|()| answer)
    }

    #[test]
    fn pieces_make_a_text_whatever_else_is_missing_or_strange() {
        let streamed = answer(&[
            r#"{"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":null}}]}"#,
            r#"{"choices":[{"delta":{"content":"Take "}}]}"#,
            r#"{"choices":[{"delta":{"content":[{"type":"text","text":"care"}]},"finish_reason":""}]}"#,
            r#"{"choices":[{"delta":{"reasoning_content":"hm"}}]}"#,
            r#"{"choices":[],"usage":{}}"#,
            r#"{"error":null}"#,
        ])
        .unwrap();
        assert_eq!((streamed.text.as_str(), streamed.complete), ("Take care", false));
        for end in ["[DONE]", r#"{"choices":[{"finish_reason":"end_of_something"}]}"#] {
            assert!(answer(&[end]).unwrap().complete);
        }
        let whole = r#"{"choices":[{"message":{"content":"Take care"},"finish_reason":"stop"}]}"#;
        assert_eq!(answer(&[whole]).unwrap().text, "Take care");
        assert_eq!(answer(&[r#"{"choices":[{"text":"Take care"}]}"#]).unwrap().text, "Take care");
    }

    #[test]
    fn a_piece_that_cannot_be_read_ends_it() {
        assert_eq!(answer(&[r#"{"choices":[{"delta":{"content":"Do n"#]).unwrap_err(), Fault::Nonsense);
        let flood = json!({"choices": [{"delta": {"content": "x".repeat(MAX_TEXT_BYTES + 1)}}]}).to_string();
        assert_eq!(answer(&[&flood]).unwrap_err(), Fault::Nonsense);
    }

    #[test]
    fn an_error_in_the_stream_says_whether_to_come_again() {
        for (error, fault) in [
            (json!({"message": "overloaded"}), Fault::Later(None)),
            (json!("overloaded"), Fault::Later(None)),
            (json!({"code": 503}), Fault::Later(None)),
            (json!({"code": "429"}), Fault::Later(None)),
            (json!({"code": 400}), Fault::Refused),
            (json!({"code": "context_length_exceeded", "status": 422}), Fault::Refused),
        ] {
            assert_eq!(answer(&[&json!({ "error": error }).to_string()]).unwrap_err(), fault, "{error}");
        }
    }

    #[test]
    fn an_object_is_found_in_what_a_model_says_around_it() {
        for text in ["{\"a\": [1]}", "Sure!\n```json\n{\"a\": [1]}\n```", "<think>{a}</think> {\"a\": [1]}"] {
            assert_eq!(read::<Value>(text).unwrap(), json!({"a": [1]}), "{text}");
        }
        for text in ["", "Take care", "} {", "{\"a\": [1]", "{\"a\": [1]} or {\"a\": [2]}"] {
            assert_eq!(read::<Value>(text).unwrap_err(), Fault::Nonsense, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_draft_grows_to_what_it_will_be(text: String, spaced: bool) {
            let json = json!({"replies": [{"text": text}]});
            let json = if spaced { serde_json::to_string_pretty(&json) } else { serde_json::to_string(&json) }.unwrap();
            // As services do that write ASCII alone.
            let ascii: String = json.chars().map(|c| {
                let units = &mut [0; 2];
                if c.is_ascii() { c.to_string() } else {
                    c.encode_utf16(units).iter().map(|unit| format!("\\u{unit:04x}")).collect()
                }
            }).collect();
            for json in [json, ascii] {
                let mut before = 0;
                for (at, _) in json.char_indices() {
                    let Some(draft) = growing(&json[..at], "text") else { continue };
                    prop_assert!(text.starts_with(&draft) && draft.len() >= before, "{draft:?}");
                    before = draft.len();
                }
                prop_assert_eq!(growing(&json, "text"), Some(text.clone()));
            }
        }
    }
}
