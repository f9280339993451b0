//! Work that is done again only when its inputs have changed. Contents count, not times: a checkout or a generated
//! file that comes out the same touches nothing.

use crate::process::{Context, Result};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// Directories that hold what was made or fetched, as in .gitignore.
const MADE: [&str; 7] = ["node_modules", "dist", "target", "gen", ".git", ".venv", "__pycache__"];

/// Does `work` unless `inputs` (files and directories) are as they were when it last succeeded, and `outputs` exist.
pub fn unless_fresh(
    root: &Path,
    name: &str,
    inputs: &[&str],
    outputs: &[&str],
    work: impl FnOnce() -> Result,
) -> Result {
    let stamp = root.join("target/xtask").join(name);
    let now = digest(root, inputs)?;
    let made = outputs.iter().all(|output| root.join(output).exists());
    if made && fs::read_to_string(&stamp).is_ok_and(|then| then == now) {
        return Ok(());
    }
    work()?;
    fs::create_dir_all(root.join("target/xtask")).context("make target/xtask")?;
    fs::write(&stamp, now).context("write a stamp")
}

fn digest(root: &Path, inputs: &[&str]) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    for input in inputs {
        for file in files(&root.join(input))? {
            file.hash(&mut hasher);
            fs::read(&file).context(format_args!("read {}", file.display()))?.hash(&mut hasher);
        }
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// All files under `path`, or `path` itself, in order; without what was made.
pub fn files(path: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    collect(path, &mut found).context(format_args!("read {}", path.display()))?;
    found.sort();
    Ok(found)
}

fn collect(path: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if !path.is_dir() {
        if path.exists() {
            found.push(path.to_owned());
        }
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        // A link would lead out of the checkout, or in circles.
        let kind = entry.file_type()?;
        let made = MADE.iter().any(|name| entry.file_name() == *name);
        if kind.is_file() || (kind.is_dir() && !made) {
            collect(&entry.path(), found)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::failed;

    #[test]
    fn work_is_done_when_inputs_change_outputs_are_gone_or_it_failed() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::create_dir_all(root.join("in/node_modules")).unwrap();
        let mut done = 0;
        let mut run = |fails: bool| {
            let _ = unless_fresh(root, "stamp", &["in"], &["out"], || {
                done += 1;
                fs::write(root.join("out"), "").unwrap();
                if fails { failed("broken") } else { Ok(()) }
            });
            done
        };
        assert_eq!(run(false), 1, "the first time");
        assert_eq!(run(false), 1, "nothing changed");
        fs::write(root.join("in/a"), "1").unwrap();
        assert_eq!(run(true), 2, "a new input");
        assert_eq!(run(false), 3, "the last time failed");
        fs::write(root.join("in/node_modules/b"), "1").unwrap();
        assert_eq!(run(false), 3, "what was fetched doesn't count");
        fs::remove_file(root.join("out")).unwrap();
        assert_eq!(run(false), 4, "the output is gone");
    }
}
