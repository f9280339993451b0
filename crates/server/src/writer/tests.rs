//! Group commit, faults, the end, and the same id from two sides.

use super::*;
use crate::log::conformance::{Desk, START, amara, clinic, hana, id, send};
use crate::log::{Reader, SqliteLog};
use bedside_protocol::{Body, ConversationId, Epoch, Rev, Seq, Time};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

struct Still;

impl Clock for Still {
    fn now(&self) -> Time {
        START
    }
}

/// A log whose commits wait for a permit, are counted, and fail when told to.
struct Gated {
    log: SqliteLog,
    gate: std::sync::mpsc::Receiver<()>,
    fail: Arc<AtomicBool>,
    batches: Arc<AtomicUsize>,
}

impl Log for Gated {
    fn epoch(&self) -> &Epoch {
        self.log.epoch()
    }

    fn commit(&mut self, now: Time, writes: &[Write]) -> Result<Vec<Result<Outcome, Refusal>>, Fault> {
        // A closed gate stands open.
        let _ = self.gate.recv();
        self.batches.fetch_add(1, Ordering::SeqCst);
        if self.fail.load(Ordering::SeqCst) {
            return Err(Fault::new("no disk"));
        }
        self.log.commit(now, writes)
    }

    fn index(&mut self) -> Result<usize, Fault> {
        self.log.index()
    }

    fn probe(&mut self) -> Result<(), Fault> {
        self.log.probe()
    }

    fn reader(&self) -> Result<Box<dyn Reader>, Fault> {
        self.log.reader()
    }
}

struct Rig {
    writer: Writer,
    thread: JoinHandle<()>,
    hub: Arc<Hub>,
    reader: Box<dyn Reader>,
    of: ConversationId,
    gate: std::sync::mpsc::Sender<()>,
    fail: Arc<AtomicBool>,
    batches: Arc<AtomicUsize>,
    _directory: tempfile::TempDir,
}

fn rig() -> Rig {
    let directory = tempfile::tempdir().unwrap();
    let mut desk = Desk::new(SqliteLog::open(&directory.path().join("log")).unwrap());
    let of = desk.admit("hana");
    let reader = desk.log.reader().unwrap();
    let metrics = Arc::new(Metrics::default());
    let hub = Arc::new(Hub::new(BTreeMap::new(), BTreeMap::new(), metrics.clone()));
    let (gate, gated) = std::sync::mpsc::channel();
    let (fail, batches): (Arc<AtomicBool>, Arc<AtomicUsize>) = Default::default();
    let log = Gated { log: desk.log, gate: gated, fail: fail.clone(), batches: batches.clone() };
    let (writer, thread) =
        Writer::start(log, Arc::new(Still), hub.clone(), crate::tasks::hints().0, metrics).unwrap();
    Rig { writer, thread, hub, reader, of, gate, fail, batches, _directory: directory }
}

type Told = oneshot::Receiver<Result<Outcome, Refusal>>;

async fn submit(writer: &Writer, of: &ConversationId, n: u64) -> Told {
    let write = send("riverside", &amara(), id(n), of, Seq::MAX, Body::text(n.to_string()));
    let (tell, told) = oneshot::channel();
    writer.submit(write, Box::new(|result| drop(tell.send(result)))).await;
    told
}

impl Rig {
    async fn submit(&self, n: u64) -> Told {
        submit(&self.writer, &self.of, n).await
    }
}

#[tokio::test]
async fn what_gathers_during_a_commit_is_one_commit() {
    let rig = rig();
    let mut replies = Vec::new();
    // However many the first batch takes, it can't end before the gate opens, and the rest gathers.
    for n in 1..=100 {
        replies.push(rig.submit(n).await);
    }
    rig.gate.send(()).unwrap();
    rig.gate.send(()).unwrap();
    let mut seqs = Vec::new();
    for reply in replies {
        seqs.push(crate::log::conformance::record(&reply.await.unwrap().unwrap()).entry.seq.get());
    }
    assert_eq!(seqs, (1..=100).collect::<Vec<_>>());
    assert!(rig.batches.load(Ordering::SeqCst) <= 2);
}

#[tokio::test]
async fn a_fault_answers_unavailable_and_publishes_nothing() {
    let mut rig = rig();
    rig.fail.store(true, Ordering::SeqCst);
    let reply = rig.submit(1).await;
    rig.gate.send(()).unwrap();
    let refusal = reply.await.unwrap().unwrap_err();
    assert_eq!((refusal.code, refusal.retry_after_ms.is_some()), (Code::Unavailable, true));
    assert_eq!(rig.reader.revs().unwrap().get(&clinic("riverside")), Some(&Rev::new(1)));
    rig.fail.store(false, Ordering::SeqCst);
    let reply = rig.submit(1).await;
    rig.gate.send(()).unwrap();
    assert!(reply.await.unwrap().is_ok());
}

#[tokio::test]
async fn whoever_was_queued_before_the_stop_is_answered() {
    let rig = rig();
    let mut replies = Vec::new();
    for n in 1..=300 {
        replies.push(rig.submit(n).await);
    }
    rig.writer.stop().await;
    drop(rig.gate);
    for reply in replies {
        assert!(reply.await.unwrap().is_ok());
    }
    rig.thread.join().unwrap();
    let late = rig.writer.write(send("riverside", &hana(), id(999), &rig.of, Seq::MAX, Body::text("late")));
    assert_eq!(late.await.unwrap_err().code, Code::Unavailable);
    assert!(rig.writer.probe().await.is_err());
    drop(rig.hub);
}

/// Each of a thousand ids, twice at the same time from two tasks on two threads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_ids_sent_twice_are_a_thousand_entries() {
    let Rig { writer, of, gate, _directory, .. } = rig();
    drop(gate);
    let sender = |writer: Writer, of: ConversationId| async move {
        let mut replies = Vec::new();
        for n in 1..=1000 {
            replies.push(submit(&writer, &of, n).await);
        }
        let mut seqs = Vec::new();
        for reply in replies {
            let record = crate::log::conformance::record(&reply.await.unwrap().unwrap());
            seqs.push((record.entry.id, record.entry.seq));
        }
        seqs
    };
    let (a, b) =
        tokio::join!(tokio::spawn(sender(writer.clone(), of.clone())), tokio::spawn(sender(writer, of)),);
    let a = a.unwrap();
    // Both were told the same of each id, and the numbers are dense.
    assert_eq!(a, b.unwrap());
    let mut seqs: Vec<u64> = a.iter().map(|(_, seq)| seq.get()).collect();
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=1000).collect::<Vec<_>>());
}
