//! Any changes in any order, as a broken engine or a lying server might have them: the cache takes a commit whole or not
//! at all, never panics, and can be read afterwards.

#![no_main]

use arbitrary::Arbitrary;
use bedside_engine::{Change, OutboxRow, OutboxState, Range};
use bedside_protocol::*;
use bedside_store::{Account, Cache, Draft, Files, Key, Keys, Reader, Write};
use libfuzzer_sys::fuzz_target;
use std::cell::RefCell;
use std::collections::BTreeMap;

#[derive(Arbitrary, Debug)]
enum Step {
    Cursor(u64),
    Epoch(bool),
    Summary { conversation: u8, rev: u64, head: u64, text: String },
    Entries { conversation: u8, lo: u64, hi: u64, from: u64, ids: Vec<u8>, text: String },
    Forget(u8),
    Read { conversation: u8, upto: u64 },
    Outbox { place: u8, id: u8, conversation: u8, attempts: u32, refused: Option<u8>, hold: u64 },
    Done(u8),
    Draft { conversation: u8, text: String },
    DraftBack { conversation: u8, text: String },
    DraftSent(u8),
    Commit,
}

fn conversation(n: u8) -> ConversationId {
    ConversationId::new(format!("c-{}", n % 4)).unwrap()
}

fn entry_id(n: u8) -> EntryId {
    EntryId::from_parts(Time::new(u64::from(n)), [n; 10])
}

fn who() -> Author {
    Author { id: UserId::new("p").unwrap(), role: Role::Patient, name: "P".into(), extra: Extra::new() }
}

fn write(step: Step) -> Option<Write> {
    Some(Write::Sync(match step {
        Step::Cursor(rev) => Change::Cursor(Rev::new(rev)),
        Step::Epoch(a) => Change::Epoch(Epoch::new(if a { "a" } else { "b" }).unwrap()),
        Step::Summary { conversation: n, rev, head, text } => {
            let id = UserId::new("p").unwrap();
            let patient = Patient { id, name: text.clone(), born: Some(text), extra: Extra::new() };
            Change::Summary(Conversation {
                head: Seq::new(head),
                waiting_since: (rev % 2 == 0).then(|| Time::new(rev)),
                read: BTreeMap::from([(UserId::new("me").unwrap(), Seq::new(head))]),
                ..Conversation::new(conversation(n), Rev::new(rev), patient)
            })
        }
        Step::Entries { conversation: n, lo, hi, from, ids, text } => Change::Entries {
            conversation: conversation(n),
            range: Range::new(Seq::new(lo), Seq::new(hi))?,
            entries: ids
                .into_iter()
                .zip(from % (1 << 50)..)
                .map(|(id, seq)| Entry {
                    conversation: conversation(n),
                    seq: Seq::new(seq),
                    rev: Rev::new(seq),
                    id: entry_id(id),
                    at: Time::ZERO,
                    author: who(),
                    preview: text.clone(),
                    body: Body::text(text.clone()),
                    from: None,
                    prev: None,
                    extra: Extra::new(),
                })
                .collect(),
        },
        Step::Forget(n) => Change::Forget(conversation(n)),
        Step::Read { conversation: n, upto } => Change::Read(conversation(n), Seq::new(upto)),
        Step::Outbox { place, id, conversation: n, attempts, refused, hold } => Change::Outbox(OutboxRow {
            place: place.into(),
            send: Send {
                id: entry_id(id),
                conversation: conversation(n),
                seen: Seq::ZERO,
                body: Body::text("x"),
                from: None,
                force: false,
            },
            at: Time::ZERO,
            hold_until: Time::new(hold),
            attempts,
            state: refused.map_or(OutboxState::Waiting, |code| {
                OutboxState::Refused(Code::ALL[usize::from(code) % Code::ALL.len()])
            }),
        }),
        Step::Done(id) => Change::OutboxDone(entry_id(id)),
        Step::Draft { conversation: n, text } => return Some(Write::Draft(conversation(n), Draft { text, cursor: 0 })),
        Step::DraftBack { conversation: n, text } => Change::DraftBack(conversation(n), text),
        Step::DraftSent(n) => Change::DraftSent(conversation(n)),
        Step::Commit => return None,
    }))
}

thread_local! {
    /// One file for all runs, emptied before each: making one takes longer than filling it.
    static FILES: RefCell<Option<tempfile::TempDir>> = const { RefCell::new(None) };
}

fuzz_target!(|steps: Vec<Step>| {
    FILES.with_borrow_mut(|folder| {
        let folder = folder.get_or_insert_with(|| {
            tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder")
        });
        let keys = Keys { cache: Key::new([7; Key::BYTES]), kept: Key::new([9; Key::BYTES]) };
        let files = Files::new(folder.path().join("cache"), keys);
        bedside_store::delete(&folder.path().join("cache")).expect("the last run's files");
        let mut cache = Cache::open(&files, "d").expect("a cache");
        let me = Me {
            id: UserId::new("me").unwrap(),
            name: "M".into(),
            role: Role::Provider,
            clinic: ClinicId::new("c").unwrap(),
        };
        let account =
            Account { me, server: "https://a".into(), token: "t".into(), limits: Limits::default() };
        cache.commit([[Write::Account(account)].as_slice()]).expect("an account");
        let mut batch = Vec::new();
        for step in steps.into_iter().take(100) {
            match write(step) {
                Some(write) => batch.push(write),
                None => {
                    let _refused = cache.commit([std::mem::take(&mut batch).as_slice()]);
                }
            }
        }
        let reader = Reader::open(&files).expect("a reader");
        reader.snapshot().expect("what was committed can be read");
        reader.inbox().expect("the inbox can be read");
        for n in 0..4 {
            reader.conversation(&conversation(n), 50, None).expect("a conversation can be read");
        }
    });
});
