use super::*;
use bedside_engine::{Cached, Range};
use bedside_protocol::{Author, Body, Conversation, EntryId, Patient, Rev, Time};

const ME: &str = "pr-amara";
const PATIENT: &str = "pt-martha";

fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

fn talk(n: u64) -> ConversationId {
    ConversationId::new(format!("c-{n}")).unwrap()
}

fn entry(conversation: u64, seq: u64, role: Role, body: Body) -> Entry {
    let id = if role == Role::Patient { PATIENT } else { ME };
    let author = Author { id: user(id), role, name: String::new(), extra: Default::default() };
    Entry {
        conversation: talk(conversation),
        seq: Seq::new(seq),
        rev: Rev::new(seq),
        id: EntryId::from_parts(Time::new(seq), [0; 10]),
        at: Time::new(seq),
        author,
        preview: body.preview(),
        body,
        from: None,
        prev: None,
        extra: Default::default(),
    }
}

/// Entries of one conversation.
fn page(conversation: u64, entries: impl IntoIterator<Item = (u64, Role, Body)>) -> Change {
    let entries: Vec<_> =
        entries.into_iter().map(|(seq, role, body)| entry(conversation, seq, role, body)).collect();
    let range = Range::new(entries[0].seq, entries[entries.len() - 1].seq).unwrap();
    Change::Entries { conversation: talk(conversation), range, entries }
}

/// A patient's message.
fn says(conversation: u64, seq: u64) -> Change {
    page(conversation, [(seq, Role::Patient, Body::text("private"))])
}

fn read_elsewhere(conversation: u64, upto: u64) -> Change {
    let patient = Patient { id: user(PATIENT), name: String::new(), born: None, extra: Default::default() };
    let mut summary = Conversation::new(talk(conversation), Rev::new(99), patient);
    summary.read.insert(user(ME), Seq::new(upto));
    Change::Summary(summary)
}

/// What is here at the start: conversation 1 up to 5, of which 3 are read.
fn snapshot() -> Snapshot {
    let cached = Cached { range: Range::new(Seq::new(2), Seq::new(5)), ..Cached::default() };
    Snapshot {
        conversations: [(talk(1), cached)].into(),
        reads: [(talk(1), Seq::new(3))].into(),
        ..Snapshot::default()
    }
}

/// Caught up, open, and nobody looks.
fn unattended() -> News {
    let mut news = News::default();
    news.open(true);
    news.begin(&user(ME), &snapshot());
    news.caught_up(Rev::ZERO);
    news
}

/// Each way in which something comes, and how many messages a notification tells of then.
#[test]
fn what_is_told() {
    let text = || Body::text("private");
    let cases: Vec<(&str, Vec<Change>, u32)> = vec![
        ("nothing", vec![], 0),
        ("a message", vec![says(1, 6)], 1),
        ("a message twice", vec![says(1, 6), says(1, 6)], 1),
        ("messages of two patients", vec![says(1, 6), says(1, 7), says(2, 1)], 3),
        (
            "after a broken link, in one page",
            vec![page(1, (6..9).map(|seq| (seq, Role::Patient, text())))],
            3,
        ),
        ("one's own", vec![page(1, [(6, Role::Provider, text())])], 0),
        ("the server's", vec![page(1, [(6, Role::System, text())])], 0),
        ("what is no message", vec![page(1, [(6, Role::Patient, Body::Unknown(Default::default()))])], 0),
        ("an older page", vec![page(1, [(1, Role::Patient, text())])], 0),
        ("read here", vec![says(1, 6), says(1, 7), Change::Read(talk(1), Seq::new(6))], 1),
        ("read elsewhere", vec![says(1, 6), says(2, 1), read_elsewhere(1, 6)], 1),
        ("read elsewhere before it came", vec![read_elsewhere(1, 6), says(1, 6)], 0),
        ("an older mark", vec![says(1, 6), read_elsewhere(1, 2)], 1),
    ];
    for (what, changes, told) in cases {
        let mut news = unattended();
        changes.iter().for_each(|change| news.heed([change]));
        assert_eq!(news.count(), told, "{what}");
        let mut at_once = unattended();
        at_once.heed(&changes);
        assert_eq!(at_once.count(), told, "{what}, in one commit");
    }
}

#[test]
fn what_comes_before_all_is_here_is_history() {
    let mut news = News::default();
    news.open(true);
    news.begin(&user(ME), &snapshot());
    news.heed(&[says(1, 6), says(2, 1)]);
    assert_eq!(news.count(), 0);
    news.caught_up(Rev::new(6));
    news.heed(&[says(1, 6), says(1, 7)]);
    assert_eq!(news.count(), 1, "the first was history");
    // A page that a gap left out.
    news.heed(&[says(1, 6)]);
    assert_eq!(news.count(), 1);
}

/// Its first page has what was said long ago.
#[test]
fn of_a_conversation_that_was_let_go_only_what_is_said_now_is_news() {
    let mut news = News::default();
    news.open(true);
    news.begin(&user(ME), &snapshot());
    news.caught_up(Rev::new(40));
    news.heed(&[page(7, (39..42).map(|seq| (seq, Role::Patient, Body::text("private"))))]);
    assert_eq!(news.count(), 1);
}

#[test]
fn whoever_looks_is_told_nothing_and_has_seen_what_was_told() {
    let mut news = unattended();
    news.heed(&[says(1, 6)]);
    news.attended(true);
    assert_eq!(news.count(), 0);
    news.heed(&[says(1, 7)]);
    assert_eq!(news.count(), 0);
    news.attended(false);
    assert_eq!(news.count(), 0, "it was seen when it came");
    news.heed(&[says(1, 8)]);
    assert_eq!(news.count(), 1);
}

#[test]
fn a_locked_window_shows_nothing_whoever_looks() {
    let mut news = unattended();
    news.attended(true);
    news.open(false);
    news.heed(&[says(1, 6)]);
    assert_eq!(news.count(), 1);
    news.open(true);
    assert_eq!(news.count(), 0);
}

#[test]
fn nothing_is_told_of_an_account_that_is_gone() {
    let mut news = unattended();
    news.heed(&[says(1, 6)]);
    news.end();
    assert_eq!(news.count(), 0);
    news.heed(&[says(1, 7)]);
    assert_eq!(news.count(), 0);
}
