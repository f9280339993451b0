//! Recorded consultations: a JSON line each, with `id` and `turns: [{who, start_s, text}]`.

use super::script::{LoadError, Script, Turn, When};
use serde::Deserialize;
use std::path::Path;
use std::time::Duration;

/// One consultation.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Consultation {
    /// Such as `day1_consultation01`.
    pub id: String,
    /// Both sides' turns, by time.
    pub turns: Vec<Spoken>,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// The clinician.
    Provider,
    /// The patient.
    Patient,
}

/// One turn.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Spoken {
    /// Whose.
    pub who: Speaker,
    /// Seconds from the consultation's start.
    start_s: f64,
    /// What was said.
    pub text: String,
}

impl Spoken {
    /// When it began, from the consultation's start.
    pub fn start(&self) -> Duration {
        Duration::from_secs_f64(self.start_s)
    }
}

impl Consultation {
    /// A name to sign in with, made from the id: "Patient day1 01".
    pub fn patient(&self) -> String {
        format!("Patient {}", self.id.replace("_consultation", " "))
    }

    /// The patient's turns, at their times.
    pub fn script(&self) -> Script {
        let turns = self.turns.iter().filter(|spoken| spoken.who == Speaker::Patient);
        Script {
            name: self.patient(),
            turns: turns
                .map(|spoken| Turn { when: When::At(spoken.start()), text: spoken.text.clone() })
                .collect(),
        }
    }
}

/// Reads all consultations of a file.
pub fn load(path: &Path) -> Result<Vec<Consultation>, LoadError> {
    let text = std::fs::read_to_string(path).map_err(|error| LoadError::new(path, error))?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines
        .enumerate()
        .map(|(index, line)| {
            let wrong = |reason: &dyn std::fmt::Display| {
                LoadError::new(path, format!("line {}: {reason}", index + 1))
            };
            let consultation: Consultation = serde_json::from_str(line).map_err(|error| wrong(&error))?;
            for spoken in &consultation.turns {
                Duration::try_from_secs_f64(spoken.start_s).map_err(|error| wrong(&error))?;
            }
            Ok(consultation)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_holds_the_patients_turns_alone() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let turn = |who, start| {
            format!(r#"{{"who": "{who}", "start_s": {start}, "end_s": 9, "text": "{who} {start}"}}"#)
        };
        let turns = [turn("provider", 0.5), turn("patient", 1.5), turn("patient", 3.0)].join(",");
        std::fs::write(file.path(), format!("{{\"id\": \"day1_consultation01\", \"turns\": [{turns}]}}\n"))
            .unwrap();
        let script = load(file.path()).unwrap()[0].script();
        assert_eq!(script.name, "Patient day1 01");
        let at = |ms| When::At(Duration::from_millis(ms));
        let expected = [(at(1500), "patient 1.5"), (at(3000), "patient 3")];
        let told: Vec<_> = script.turns.iter().map(|turn| (turn.when, turn.text.as_str())).collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn a_wrong_line_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "\n{\"id\": \"x\", \"turns\": []}\n{\"id\": \"y\", \"turns\": [{\"who\": \"patient\", \"start_s\": -1, \"text\": \"x\"}]}\n").unwrap();
        assert!(
            load(file.path())
                .unwrap_err()
                .to_string()
                .ends_with("line 2: cannot convert float seconds to Duration: value is negative")
        );
    }
}
