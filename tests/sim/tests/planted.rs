//! Proves that the simulator can fail: builds the engine with one bug at a time, as a text exchanged in its sources, and
//! demands that some seed finds each. Slow, so `cargo xtask test` runs it by name.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Seeds within which each bug must be found.
const SEEDS: u64 = 2_000;

struct Bug {
    name: &'static str,
    file: &'static str,
    /// Stands exactly once in the file.
    right: &'static str,
    wrong: &'static str,
}

const BUGS: [Bug; 16] = [
    Bug {
        name: "dropped dedupe: a repeated live entry is stored as a new one",
        file: "catchup.rs",
        right: "if seq == held.next() {",
        wrong: "if seq <= held.next() { if let Some(known) = self.conversations.get_mut(&id) { known.range = None; }",
    },
    Bug {
        name: "resend with a new id",
        file: "outbox.rs",
        right: "row.attempts = row.attempts.saturating_add(1);",
        wrong: "row.attempts = row.attempts.saturating_add(1); if row.attempts > 1 { row.send.id = EntryId::from_parts(now, [row.attempts as u8; 10]); }",
    },
    Bug {
        name: "ack before commit: what is handed over counts as sent",
        file: "outbox.rs",
        right: "frames.push(ClientFrame::Send(row.send.clone()));",
        wrong: "frames.push(ClientFrame::Send(row.send.clone())); changes.push(Change::OutboxDone(row.send.id));",
    },
    Bug {
        name: "gap ignored: a live entry is stored whatever is missing before it",
        file: "catchup.rs",
        right: "if seq == held.next() {",
        wrong: "if seq > held { let got = range.map_or(seq, |range| range.lo); if let Some(known) = self.conversations.get_mut(&id) { known.range = Range::new(got, seq.minus(1)); }",
    },
    Bug {
        name: "cursor advanced early: past changes that were missed",
        file: "catchup.rs",
        right: "if rev == self.cursor.next() {",
        wrong: "if rev > self.cursor {",
    },
    Bug {
        name: "reorder accepted: several messages of a conversation under way",
        file: "outbox.rs",
        right: "|| !busy.insert(row.send.conversation.clone())",
        wrong: "|| (busy.insert(row.send.conversation.clone()) && false)",
    },
    Bug {
        name: "outbox row dropped on reconnect",
        file: "outbox.rs",
        right: "for held in self.rows.values_mut() {\n            if matches!(held.row.state,",
        wrong: "self.rows.retain(|_, held| held.row.state != OutboxState::Sending);\n        for held in self.rows.values_mut() {\n            if matches!(held.row.state,",
    },
    Bug {
        name: "stale seen: all counts as seen, whatever was in view",
        file: "lib.rs",
        right: "Input::Send { sends, at, hold_until } => {",
        wrong: "Input::Send { mut sends, at, hold_until } => { sends.iter_mut().for_each(|send| send.seen = Seq::MAX);",
    },
    Bug {
        name: "attempt counted after the try: a frame goes out before its commit",
        file: "lib.rs",
        right: "self.after.insert(ticket, then);",
        wrong: "effects.extend(then.into_iter().map(Effect::Emit));",
    },
    Bug {
        name: "a message under way can be thrown away",
        file: "outbox.rs",
        right: "if self.held(id)?.row.may_have_been_sent() {",
        wrong: "if false {",
    },
    Bug {
        name: "a heartbeat's rev means nothing: a lost frame stays lost",
        file: "lib.rs",
        right: "ServerFrame::Heartbeat(heartbeat) => self.catchup.told_of(heartbeat.rev),",
        wrong: "ServerFrame::Heartbeat(_) => {}",
    },
    Bug {
        name: "undo-send doesn't hold: a message goes out while it may be taken back",
        file: "outbox.rs",
        right: "let ready = held.ready_at(now) <= now;",
        wrong: "let ready = held.until <= now;",
    },
    Bug {
        name: "misdirected draft: what is taken back goes to the conversation of another message",
        file: "outbox.rs",
        right: "self.get(id).map(|row| Change::DraftBack(row.send.conversation.clone(), row.send.body.clone()));",
        wrong: "self.get(id).zip(self.rows.values().next()).map(|(row, first)| Change::DraftBack(first.row.send.conversation.clone(), row.send.body.clone()));",
    },
    Bug {
        name: "forced: what is sent again isn't checked for what came meanwhile",
        file: "outbox.rs",
        right: "held.row.send.force = code == Code::Behind;",
        wrong: "held.row.send.force = code == code;",
    },
    Bug {
        name: "what is sent stays a draft",
        file: "lib.rs",
        right: "let changes = messages.chain(draft).collect();",
        wrong: "let _ = draft; let changes = messages.collect();",
    },
    Bug {
        name: "who works offline is connected when the network changes",
        file: "link.rs",
        right: "(&Link::Offline { since, .. }, Event::Doubt) =>",
        wrong: "(&(Link::Offline { since, .. } | Link::Paused { since }), Event::Doubt) =>",
    },
];

#[test]
#[ignore = "builds the engine once a bug: cargo xtask test runs it by name"]
fn each_planted_bug_is_found() {
    let shadow = Shadow::new();
    for bug in &BUGS {
        shadow.plant(bug);
        let found = shadow.first_failing_seed();
        let seed =
            found.unwrap_or_else(|| panic!("no seed below {SEEDS} finds the planted bug: {}", bug.name));
        println!("found by seed {seed}: {}", bug.name);
    }
}

/// A workspace of its own beside the project's, with a copy of the engine; all else is the project's.
struct Shadow {
    root: PathBuf,
    project: PathBuf,
}

impl Shadow {
    fn new() -> Self {
        let project =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the project");
        let root = project.join("target/planted");
        let _none_yet = fs::remove_dir_all(&root);
        fs::create_dir_all(root.join("crates/engine")).expect("a folder");
        fs::create_dir_all(root.join("tests")).expect("a folder");
        for part in ["crates/protocol", "crates/store", "crates/server", "crates/suggest", "tests/sim"] {
            symlink(project.join(part), root.join(part)).expect("a link");
        }
        let manifest = fs::read_to_string(project.join("Cargo.toml")).expect("the manifest");
        // Up to the desktop app's own package.
        let workspace = manifest.split("\n[package]\n").next().expect("a workspace");
        let members = workspace.lines().find(|line| line.starts_with("default-members")).expect("members");
        let workspace =
            workspace
                .lines()
                .filter(|line| *line != members)
                .map(|line| {
                    if line.starts_with("members") { "members = [\"crates/*\", \"tests/sim\"]" } else { line }
                })
                .collect::<Vec<_>>()
                .join("\n");
        fs::write(root.join("Cargo.toml"), workspace).expect("a manifest");
        fs::copy(project.join("Cargo.lock"), root.join("Cargo.lock")).expect("the versions");
        fs::copy(project.join("crates/engine/Cargo.toml"), root.join("crates/engine/Cargo.toml"))
            .expect("a copy");
        Self { root, project }
    }

    fn plant(&self, bug: &Bug) {
        let source = Path::new("crates/engine/src");
        self.copy(bug, &self.project.join(source), &self.root.join(source));
    }

    fn copy(&self, bug: &Bug, from: &Path, to: &Path) {
        fs::create_dir_all(to).expect("a folder");
        for file in fs::read_dir(from).expect("the engine").flatten() {
            let (path, copy) = (file.path(), to.join(file.file_name()));
            if path.is_dir() {
                self.copy(bug, &path, &copy);
                continue;
            }
            let text = fs::read_to_string(&path).expect("a source");
            let planted = file.file_name() == bug.file;
            if planted {
                assert_eq!(text.matches(bug.right).count(), 1, "the planted bug fits no more: {}", bug.name);
            }
            let text = if planted { text.replacen(bug.right, bug.wrong, 1) } else { text };
            fs::write(copy, text).expect("a copy");
        }
    }

    fn target(&self) -> PathBuf {
        self.project.join("target/planted-build")
    }

    fn first_failing_seed(&self) -> Option<u64> {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "-p", "bedside-sim"])
            .current_dir(&self.root)
            // Not the project's: cargo would take the one's engine for the other's.
            .env("CARGO_TARGET_DIR", self.target())
            .status();
        assert!(built.is_ok_and(|status| status.success()), "the planted engine can't be built");
        let ran = Command::new(self.target().join("debug/bedside-sim"))
            .args(["--first", "--seeds", &format!("0..{SEEDS}")])
            .output()
            .expect("the simulator");
        let said = String::from_utf8_lossy(&ran.stdout);
        said.lines().find_map(|line| line.strip_prefix("first failing seed: ")?.parse().ok())
    }
}
