//! The rows of background tasks.

use super::*;
use crate::log::Job;

fn job(of: &ConversationId, basis: u64) -> Job {
    Job {
        clinic: clinic("riverside"),
        conversation: of.clone(),
        task: "reply".into(),
        basis: Seq::new(basis),
    }
}

/// A patient's message that asks for a reply, and the rows that it opens.
fn ask<L: Log>(desk: &mut Desk<L>, id: EntryId, of: &ConversationId) -> Vec<Job> {
    let mut write = send("riverside", &hana(), id, of, Seq::MAX, Body::text("it hurts"));
    if let Write::Send { tasks, .. } = &mut write {
        *tasks = vec!["reply"];
    }
    desk.commit(write).unwrap().committed.jobs().to_vec()
}

fn advice() -> Option<Box<Suggestion>> {
    match suggestion() {
        Body::Suggestion(suggestion) => Some(Box::new(suggestion)),
        _ => None,
    }
}

fn tries<L: Log>(desk: &mut Desk<L>, job: &Job) -> Option<u64> {
    match desk.commit(Write::Try { job: job.clone() }).map(|outcome| outcome.answer) {
        Ok(Answer::Tries(tries)) => Some(tries),
        Ok(other) => panic!("no tries: {other:?}"),
        Err(refusal) => {
            assert_eq!(refusal.code, Code::Conflict);
            None
        }
    }
}

fn end<L: Log>(desk: &mut Desk<L>, job: &Job, result: Option<Box<Suggestion>>) -> Result<usize, Code> {
    let outcome = desk.commit(Write::End { job: job.clone(), result });
    outcome.map(|outcome| outcome.committed.changes().len()).map_err(|refusal| refusal.code)
}

fn open_jobs<L: Log>(desk: &Desk<L>) -> Vec<Job> {
    desk.log.reader().unwrap().jobs().unwrap()
}

pub fn a_message_opens_its_tasks_once_and_ends_those_of_the_one_before<L: Log>(open: Factory<'_, L>) {
    let mut desk = Desk::new(open());
    let (a, b) = (desk.admit("hana"), desk.admit("samuel"));
    assert_eq!(ask(&mut desk, id(1), &a), [job(&a, 1)]);
    assert_eq!(ask(&mut desk, id(1), &a), []);
    // The wait-time message is the second entry.
    assert_eq!(ask(&mut desk, id(2), &a), [job(&a, 3)]);
    assert_eq!(open_jobs(&desk), [job(&a, 3)]);
    assert_eq!(tries(&mut desk, &job(&a, 1)), None);
    assert_eq!(end(&mut desk, &job(&a, 1), advice()), Err(Code::Conflict));
    // A refused message opens nothing.
    let mut refused = send("riverside", &hana(), id(3), &b, Seq::MAX, Body::text("not hers"));
    if let Write::Send { tasks, .. } = &mut refused {
        *tasks = vec!["reply"];
    }
    assert_eq!(code(desk.commit(refused)), Some(Code::NotFound));
    assert_eq!(open_jobs(&desk), [job(&a, 3)]);
}

pub fn a_task_ends_once_with_its_result<L: Log>(open: Factory<'_, L>) {
    let mut desk = Desk::new(open());
    let a = desk.admit("hana");
    let nowhere = job(&a, 1);
    assert_eq!(end(&mut desk, &nowhere, advice()), Err(Code::Conflict));
    for (n, result, entries) in [(1, advice(), 1), (2, None, 0)] {
        let [asked] = <[Job; 1]>::try_from(ask(&mut desk, id(n), &a)).unwrap();
        assert_eq!(tries(&mut desk, &asked), Some(1));
        let head = desk.all(&a).0.conversation.head;
        assert_eq!(end(&mut desk, &asked, result), Ok(entries));
        assert_eq!(end(&mut desk, &asked, advice()), Err(Code::Conflict));
        assert_eq!(tries(&mut desk, &asked), None);
        let (after, records) = desk.all(&a);
        assert_eq!(after.conversation.head.get(), head.get() + entries as u64);
        assert_eq!(kinds(&records).iter().filter(|kind| **kind == "suggestion").count(), 1);
        // Advice is nobody's message: it ends no wait, and an inbox goes on showing what was said.
        assert_eq!(after.conversation.waiting_since, Some(START));
        assert_eq!(after.conversation.last.unwrap().author.id, hana().id);
        assert!(
            records
                .iter()
                .all(|record| record.public != (kinds(std::slice::from_ref(record)) == ["suggestion"]))
        );
    }
    assert_eq!(open_jobs(&desk), []);
}

pub fn open_tasks_and_their_tries_survive_a_restart<L: Log>(open: Factory<'_, L>) {
    let mut desk = Desk::new(open());
    let a = desk.admit("hana");
    ask(&mut desk, id(1), &a);
    assert_eq!(tries(&mut desk, &job(&a, 1)), Some(1));
    drop(desk);
    let mut desk = Desk::new(open());
    assert_eq!(open_jobs(&desk), [job(&a, 1)]);
    assert_eq!(tries(&mut desk, &job(&a, 1)), Some(2));
}
