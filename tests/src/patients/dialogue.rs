//! Dialogues written for the demonstration; `demo/README.md` describes their files.

use super::script::{LoadError, Script, Turn, When};
use serde::Deserialize;
use std::path::Path;
use std::time::Duration;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dialogue {
    patient: Patient,
    opens_after_s: f64,
    turns: Vec<Said>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Patient {
    name: String,
    /// For the reader of the dialogue: a demonstration server is told the name alone.
    #[serde(rename = "born", default)]
    _born: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    after_s: f64,
    text: String,
    #[serde(default)]
    wait_for_reply: bool,
}

/// Reads all dialogues of a folder, in the order of their file names.
pub fn load(folder: &Path) -> Result<Vec<Script>, LoadError> {
    let files = std::fs::read_dir(folder).map_err(|error| LoadError::new(folder, error))?;
    let mut paths = files
        .map(|file| file.map(|file| file.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| LoadError::new(folder, error))?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    if paths.is_empty() {
        return Err(LoadError::new(folder, "there are no dialogues (*.json) here"));
    }
    paths.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> Result<Script, LoadError> {
    let text = std::fs::read_to_string(path).map_err(|error| LoadError::new(path, error))?;
    let dialogue: Dialogue = serde_json::from_str(&text).map_err(|error| LoadError::new(path, error))?;
    let seconds = |s: f64| Duration::try_from_secs_f64(s).map_err(|error| LoadError::new(path, error));
    let opens = seconds(dialogue.opens_after_s)?;
    let turns = dialogue
        .turns
        .into_iter()
        .enumerate()
        .map(|(index, said)| {
            let after = seconds(said.after_s)?;
            let when = match (index, said.wait_for_reply) {
                (0, _) => When::At(opens + after),
                (_, true) => When::AfterReply(after),
                (_, false) => When::After(after),
            };
            let text = said.text;
            Ok(Turn { when, text })
        })
        .collect::<Result<_, _>>()?;
    let name = dialogue.patient.name;
    Ok(Script { name, turns })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_demonstration_reads_and_no_two_patients_share_a_name() {
        let scripts = load(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../demo"))).unwrap();
        let names: BTreeSet<_> = scripts.iter().map(|script| &script.name).collect();
        assert!(scripts.len() >= 8);
        assert_eq!(names.len(), scripts.len());
        for script in &scripts {
            assert!(matches!(script.turns[0].when, When::At(_)), "{}", script.name);
            assert!(script.turns.iter().all(|turn| !turn.text.trim().is_empty()));
            assert!(script.turns.iter().any(|turn| matches!(turn.when, When::AfterReply(_))));
        }
    }

    #[test]
    fn a_wrong_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        assert!(load(folder.path()).unwrap_err().to_string().contains("no dialogues"));
        let path = folder.path().join("x.json");
        for wrong in [
            "{",
            r#"{"patient": {"name": "X"}, "opens_after_s": -1, "turns": []}"#,
            r#"{"patient": {"name": "X"}, "opens_after_s": 0, "turns": [{"after_s": 1, "txt": "x"}]}"#,
        ] {
            std::fs::write(&path, wrong).unwrap();
            assert!(load(folder.path()).unwrap_err().to_string().contains("x.json"));
        }
    }
}
