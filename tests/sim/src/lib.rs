//! The sync path under a virtual clock and a seeded fate: real engines and real caches against the real log, with
//! several providers, consoles and patients, over a network and on machines that misbehave. The same seed is the same
//! run, byte for byte.
//!
//! Not simulated: sockets and their library, threads, the window. `tests/faults` breaks those in real processes.

mod check;
mod device;
mod patient;
pub mod plan;
mod server;
mod world;

pub use world::{Outcome, Trace};

use plan::Plan;
use std::panic::{AssertUnwindSafe, catch_unwind};
use world::World;

/// What was wrong with a run, in words.
#[derive(Clone, Debug)]
pub struct Fault(pub String);

/// Runs a plan under a seed; `trace` takes down all that happens.
pub fn run(seed: u64, plan: &Plan, trace: Option<Trace>) -> Result<Outcome, Fault> {
    let world = move || World::new(seed, trace).run(plan);
    catch_unwind(AssertUnwindSafe(world)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        Fault(
            text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default(),
        )
    })
}

/// Runs a seed's own plan.
pub fn run_seed(seed: u64) -> Result<Outcome, Fault> {
    run(seed, &plan::plan(seed), None)
}

/// A failing seed as a person wants it: what is wrong, with its shortest plan and all that happens under that.
pub fn explain(seed: u64) -> String {
    let plan = plan::shortest(&plan::plan(seed), |plan| run(seed, plan, None).is_err());
    let trace = Trace::default();
    let fault = run(seed, &plan, Some(Trace::clone(&trace))).err().map(|fault| fault.0).unwrap_or_default();
    let steps: String = plan.iter().map(|(at, action)| format!("  {at} ms: {action:?}\n")).collect();
    let trace = trace.borrow();
    format!("{trace}\nseed {seed}: {fault}\nthe shortest plan that fails, {} actions:\n{steps}", plan.len())
}
