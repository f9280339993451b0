//! Strategies: any valid value of each type, fields of later versions included.

use bedside_protocol::*;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value};

/// Any JSON, as a later version might send it.
pub fn json() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(".{0,8}", inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
    .boxed()
}

/// Fields that no version so far has.
pub fn extra() -> impl Strategy<Value = Extra> {
    btree_map("x_[a-z]{1,6}", json(), 0..3)
}

pub fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        Just(String::new()),
        Just("\u{0}\u{7f}\u{2028}\"\\</script>\u{feff}\u{10ffff}".to_owned()),
        Just("👩‍⚕️".repeat(200)),
    ]
}

macro_rules! ids {
    ($($name:ident: $type:ident),*) => {$(
        pub fn $name() -> impl Strategy<Value = $type> {
            "[A-Za-z0-9._-]{1,64}".prop_map(|text| $type::new(text).unwrap())
        }
    )*};
}
ids!(clinic: ClinicId, conversation_id: ConversationId, epoch: Epoch, user: UserId);

macro_rules! numbers {
    ($($name:ident: $type:ident),*) => {$(
        pub fn $name() -> impl Strategy<Value = $type> {
            prop_oneof![0..=$type::MAX.get(), Just($type::MAX.get())].prop_map($type::new)
        }
    )*};
}
numbers!(seq: Seq, rev: Rev, time: Time);

pub fn entry_id() -> impl Strategy<Value = EntryId> {
    (0u64..1 << 48, any::<[u8; 10]>()).prop_map(|(at, random)| EntryId::from_parts(Time::new(at), random))
}

fn count() -> impl Strategy<Value = u64> {
    0..=Time::MAX.get()
}

pub fn role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Provider), Just(Role::Patient), Just(Role::System)]
}

fn phase() -> impl Strategy<Value = Phase> {
    prop_oneof![Just(Phase::Open), Just(Phase::Snoozed), Just(Phase::Closed)]
}

/// A kind that this version doesn't know, or a known one that it can't read.
pub fn unknown() -> impl Strategy<Value = Body> {
    let kind = prop_oneof![
        "x_[a-z]{1,8}".prop_map(Value::from),
        Just(Value::from("text")),
        json().prop_filter("no name of a kind", |kind| !kind.is_string()),
    ];
    (extra(), kind).prop_map(|(mut fields, kind)| {
        fields.insert("kind".into(), kind);
        Body::Unknown(fields)
    })
}

pub fn known() -> BoxedStrategy<Body> {
    let items = vec((text(), extra()).prop_map(|(text, extra)| SuggestionItem { text, extra }), 0..3);
    prop_oneof![
        (text(), extra()).prop_map(|(text, extra)| Body::Text(Text { text, extra })),
        (any::<u32>(), text(), extra()).prop_map(|(minutes, text, extra)| Body::Wait(Wait {
            minutes,
            text,
            extra
        })),
        (entry_id(), option::of(text()), extra()).prop_map(|(target, text, extra)| Body::Amend(Amend {
            target,
            text,
            extra
        })),
        (text(), text(), text(), count(), extra()).prop_map(|(sha256, name, media_type, bytes, extra)| {
            Body::File(File { sha256, name, media_type, bytes, extra })
        }),
        (text(), vec(user(), 0..3), extra()).prop_map(|(text, mentions, extra)| Body::Note(Note {
            text,
            mentions,
            extra
        })),
        (option::of(user()), extra()).prop_map(|(to, extra)| Body::Assign(Assign { to, extra })),
        (phase(), option::of(time()), extra()).prop_map(|(state, until, extra)| Body::State(State {
            state,
            until,
            extra
        })),
        ((text(), seq(), items), (text(), text(), option::of(text()), extra())).prop_map(
            |((task, basis, items), (model, version, abstained, extra))| Body::Suggestion(Suggestion {
                task,
                basis,
                items,
                model,
                version,
                abstained,
                extra,
            })
        ),
        (
            entry_id(),
            any::<u32>(),
            prop_oneof![
                Just(OutcomeResult::Used),
                Just(OutcomeResult::Edited),
                Just(OutcomeResult::Dismissed)
            ],
            count(),
            extra()
        )
            .prop_map(|(suggestion, item, result, shown_ms, extra)| Body::Outcome(Outcome {
                suggestion,
                item,
                result,
                shown_ms,
                extra,
            })),
    ]
    .boxed()
}

pub fn body() -> BoxedStrategy<Body> {
    prop_oneof![9 => known(), 1 => unknown()].boxed()
}

fn origin() -> impl Strategy<Value = Origin> {
    (entry_id(), any::<bool>(), extra()).prop_map(|(suggestion, edited, extra)| Origin {
        suggestion,
        edited,
        extra,
    })
}

fn author() -> impl Strategy<Value = Author> {
    (user(), role(), text(), extra()).prop_map(|(id, role, name, extra)| Author { id, role, name, extra })
}

pub fn entry() -> BoxedStrategy<Entry> {
    (
        (conversation_id(), seq(), rev(), entry_id(), time()),
        (author(), body(), text(), option::of(origin()), option::of(seq())),
        extra(),
    )
        .prop_map(|((conversation, seq, rev, id, at), (author, body, preview, from, prev), extra)| Entry {
            conversation,
            seq,
            rev,
            id,
            at,
            author,
            body,
            preview,
            from,
            prev,
            extra,
        })
        .boxed()
}

pub fn conversation() -> BoxedStrategy<Conversation> {
    let patient = (user(), text(), option::of(text()), extra()).prop_map(|(id, name, born, extra)| Patient {
        id,
        name,
        born,
        extra,
    });
    let level =
        prop_oneof![Just(UrgencyLevel::Routine), Just(UrgencyLevel::Soon), Just(UrgencyLevel::Urgent)];
    let urgency = (level, text(), seq(), extra()).prop_map(|(level, reason, basis, extra)| Urgency {
        level,
        reason,
        basis,
        extra,
    });
    let last = (seq(), time(), author(), text(), extra())
        .prop_map(|(seq, at, author, preview, extra)| Last { seq, at, author, preview, extra });
    (
        (conversation_id(), rev(), seq(), patient, phase(), (option::of(time()), option::of(time()))),
        (option::of(user()), option::of(urgency), option::of(time()), option::of(last)),
        (btree_map(user(), seq(), 0..3), extra()),
    )
        .prop_map(
            |(
                (id, rev, head, patient, state, (until, closed_at)),
                (assigned, urgency, waiting_since, last),
                (read, extra),
            )| Conversation {
                id,
                rev,
                head,
                patient,
                state,
                until,
                closed_at,
                assigned,
                urgency,
                waiting_since,
                last,
                read,
                extra,
            },
        )
        .boxed()
}

pub fn client_frame() -> BoxedStrategy<ClientFrame> {
    let send = (entry_id(), conversation_id(), seq(), body(), option::of(origin()), any::<bool>()).prop_map(
        |(id, conversation, seen, body, from, force)| Send { id, conversation, seen, body, from, force },
    );
    prop_oneof![
        4 => send.prop_map(ClientFrame::Send),
        1 => (rev(), option::of(any::<u32>()), option::of(epoch()), option::of(rev())).prop_map(
            |(since, limit, epoch, newest)| ClientFrame::Changes(Changes { since, limit, epoch, newest })
        ),
        1 => (conversation_id(), seq(), seq())
            .prop_map(|(conversation, from, to)| ClientFrame::Entries(Entries { conversation, from, to })),
        1 => search().prop_map(ClientFrame::Search),
        1 => (conversation_id(), seq())
            .prop_map(|(conversation, upto)| ClientFrame::Read(Read { conversation, upto })),
        1 => conversation_id().prop_map(|conversation| ClientFrame::Typing(Typing { conversation })),
        1 => option::of(conversation_id())
            .prop_map(|conversation| ClientFrame::Viewing(Viewing { conversation })),
    ]
    .boxed()
}

pub fn search() -> BoxedStrategy<Search> {
    let words = || vec(text(), 0..3);
    (
        (text(), vec(words(), 0..3), words()),
        (option::of(any::<bool>()), option::of(time()), any::<bool>(), any::<u32>()),
    )
        .prop_map(|((of, phrases, patient), (by_patient, before, has_file, limit))| Search {
            of,
            phrases,
            patient,
            by_patient,
            before,
            has_file,
            limit,
        })
        .boxed()
}

pub fn server_frame() -> impl Strategy<Value = ServerFrame> {
    prop_oneof![
        welcome().prop_map(ServerFrame::Welcome),
        (rev(), time()).prop_map(|(rev, now)| ServerFrame::Heartbeat(Heartbeat { rev, now })),
        (entry(), conversation())
            .prop_map(|(entry, conversation)| ServerFrame::Entry(EntryFrame { entry, conversation })),
        conversation().prop_map(|conversation| ServerFrame::Conversation(ConversationFrame { conversation })),
        rejected().prop_map(ServerFrame::Rejected),
        (rev(), rev(), any::<bool>(), vec(conversation(), 0..3)).prop_map(
            |(since, rev, more, conversations)| ServerFrame::Changes(ChangesAnswer {
                since,
                rev,
                more,
                conversations,
            })
        ),
        (conversation_id(), seq(), seq(), seq(), vec(entry(), 0..3)).prop_map(
            |(conversation, from, to, head, entries)| ServerFrame::Entries(EntriesAnswer {
                conversation,
                from,
                to,
                head,
                entries,
            })
        ),
        (
            text(),
            vec((entry(), text()).prop_map(|(entry, patient)| FoundEntry { entry, patient }), 0..3),
            any::<bool>(),
            count()
        )
            .prop_map(|(of, hits, more, unindexed)| ServerFrame::Found(FoundFrame {
                of,
                hits,
                more,
                unindexed
            })),
        (conversation_id(), seq())
            .prop_map(|(conversation, upto)| ServerFrame::Receipt(Receipt { conversation, upto })),
        (conversation_id(), who(), time()).prop_map(|(conversation, who, until)| ServerFrame::Typing(
            TypingFrame { conversation, who, until }
        )),
        (
            who(),
            option::of(conversation_id()),
            prop_oneof![Just(PresenceState::Online), Just(PresenceState::Offline)]
        )
            .prop_map(|(who, viewing, state)| ServerFrame::Presence(Presence {
                who,
                viewing,
                state
            })),
        suggesting().prop_map(ServerFrame::Suggesting),
        vec(text(), 0..3).prop_map(|tasks| ServerFrame::Paused(Paused { tasks })),
        any::<bool>().prop_map(|wipe| ServerFrame::Revoked(Revoked { wipe })),
    ]
}

fn welcome() -> BoxedStrategy<Welcome> {
    let me =
        (user(), text(), role(), clinic()).prop_map(|(id, name, role, clinic)| Me { id, name, role, clinic });
    let limits = any::<(u32, u32, u32, Option<u32>)>().prop_map(
        |(text_bytes, frame_bytes, sends_per_s, file_bytes)| Limits {
            text_bytes,
            frame_bytes,
            sends_per_s,
            file_bytes,
        },
    );
    (me, rev(), epoch(), any::<u32>(), time(), limits, extra())
        .prop_map(|(me, rev, epoch, heartbeat_ms, now, limits, policy)| Welcome {
            me,
            rev,
            epoch,
            heartbeat_ms,
            now,
            limits,
            policy,
        })
        .boxed()
}

fn rejected() -> impl Strategy<Value = Rejected> {
    let code = proptest::sample::select(Code::ALL.to_vec());
    (text(), option::of(entry_id()), option::of(conversation_id()), code, text(), option::of(count()))
        .prop_map(|(of, id, conversation, code, message, retry_after_ms)| Rejected {
            of,
            id,
            conversation,
            code,
            message,
            retry_after_ms,
        })
}

fn who() -> impl Strategy<Value = Who> {
    (user(), role(), text()).prop_map(|(id, role, name)| Who { id, role, name })
}

fn suggesting() -> impl Strategy<Value = Suggesting> {
    let state = prop_oneof![
        Just(SuggestingState::Queued),
        Just(SuggestingState::Running),
        Just(SuggestingState::Failed)
    ];
    (conversation_id(), text(), state, option::of(text()))
        .prop_map(|(conversation, task, state, text)| Suggesting { conversation, task, state, text })
}
