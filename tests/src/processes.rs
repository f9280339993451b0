//! A program with all the processes that it has started, as Linux sees them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The process of a program, which runs once.
pub fn of(program: &Path) -> Option<u32> {
    let program = program.canonicalize().expect("the program is built");
    all().into_keys().find(|pid| fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe == program))
}

/// A process, those that it has started, and so on.
pub fn tree(root: u32) -> Vec<u32> {
    let parents = all();
    let mut tree = vec![root];
    let mut at = 0;
    while let Some(&parent) = tree.get(at) {
        tree.extend(parents.iter().filter(|(_, of)| **of == parent).map(|(pid, _)| *pid));
        at += 1;
    }
    tree
}

/// Whether a process runs.
pub fn is_running(pid: u32) -> bool {
    // One that has ended and that nobody has asked about yet maps nothing.
    fs::read(format!("/proc/{pid}/maps")).is_ok_and(|maps| !maps.is_empty())
}

/// What they hold of the memory, in MiB; what several share counts in parts (PSS). Ours lets nobody but root look.
pub fn memory(pids: &[u32]) -> f64 {
    pids.iter().map(|&pid| pss_kib(pid)).sum::<f64>() / 1024.0
}

fn pss_kib(pid: u32) -> f64 {
    let path = format!("/proc/{pid}/smaps_rollup");
    let rollup = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:")).expect("a sum");
    line.trim_end_matches("kB").trim().parse().expect("a number")
}

/// All processes, each with its parent.
fn all() -> BTreeMap<u32, u32> {
    let entries = fs::read_dir("/proc").expect("/proc").filter_map(Result::ok);
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| Some((pid, parent(pid)?))).collect()
}

fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before it may hold anything.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_program_is_found_with_what_it_has_started() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let (here, there) = (std::process::id(), child.id());
        assert!(tree(here).contains(&there) && !tree(there).contains(&here));
        assert_eq!(of(&std::env::current_exe().unwrap()), Some(here));
        assert!(memory(&[here]) > 0.0 && is_running(there));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!is_running(there));
    }
}
