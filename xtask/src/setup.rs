//! Installs what is missing, and says so first: system packages by apt-get, npm packages and Python packages into
//! their own folders. When nothing is missing it costs less than a second.

use crate::process::{self, Context, Result, command, failed};
use crate::stamp;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What something is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// Compiling all programs and pages.
    Build,
    /// Showing the window where there is no display.
    Show,
    /// Running the tests.
    Test,
    /// Running the benchmarks, beside what else would do the same work.
    Bench,
}

impl Tier {
    /// Everything.
    pub const ALL: [Tier; 4] = [Tier::Build, Tier::Show, Tier::Test, Tier::Bench];
}

/// A package of Debian 12 and Ubuntu 24.04, and why it is needed.
struct Package {
    tier: Tier,
    name: &'static str,
    why: &'static str,
}

const fn package(tier: Tier, name: &'static str, why: &'static str) -> Package {
    Package { tier, name, why }
}

const PACKAGES: [Package; 14] = [
    package(Tier::Build, "build-essential", "C compiler and linker"),
    package(Tier::Build, "pkg-config", "finds the libraries below"),
    package(Tier::Build, "libwebkit2gtk-4.1-dev", "the window's web view"),
    package(Tier::Build, "libgtk-3-dev", "the window"),
    package(Tier::Build, "librsvg2-dev", "the window's icons"),
    package(Tier::Build, "libayatana-appindicator3-dev", "the tray"),
    package(Tier::Build, "libxdo-dev", "the window's menus"),
    package(Tier::Build, "libssl-dev", "TLS of the chat connection, and the cache's encryption"),
    package(Tier::Show, "xvfb", "a screen in memory for the window"),
    package(Tier::Show, "scrot", "takes the screenshot"),
    package(Tier::Test, "webkit2gtk-driver", "tests drive the real window"),
    package(Tier::Test, "dbus", "a session bus for the keychain"),
    package(Tier::Test, "gnome-keyring", "a keychain for the window's tests"),
    package(Tier::Test, "python3-venv", "Python's chat clients and servers"),
];

/// Where the system packages the browser. Ubuntu's packages only point to a snap.
const BROWSER_PACKAGES: [Package; 2] = [
    package(Tier::Test, "chromium", "tests use the patients' page"),
    package(Tier::Test, "chromium-driver", "tests drive the patients' page"),
];

/// Browsers that the tests can use, by name, where `$CHROME` doesn't name one.
const BROWSERS: [&str; 5] =
    ["chromium", "google-chrome-stable", "google-chrome", "chrome", "chromium-browser"];

/// Folders with npm packages, and what needs them.
const NPM: [(&str, Tier); 3] =
    [("ui", Tier::Build), ("crates/server/page", Tier::Build), ("tests/interop/node", Tier::Test)];

/// Python packages that tests and benchmarks use: the foreign clients and servers, and the licence check.
const REQUIREMENTS: [&str; 3] =
    ["tests/interop/requirements.txt", "bench/peers/flask/requirements.txt", "xtask/requirements.txt"];

/// Python packages that bring along what the tests don't run: each list is whole, and nothing else is installed.
const REQUIREMENTS_ALONE: [&str; 1] = ["tests/interop/models/requirements.txt"];

/// Python packages of the benchmarks alone.
const BENCH_REQUIREMENTS: [&str; 1] = ["bench/peers/sqs/requirements.txt"];

/// Oldest Node that the pages' tools run on.
const NODE_MAJOR: u32 = 20;

/// Installs what the tiers need.
pub fn run(root: &Path, tiers: &[Tier]) -> Result {
    system_packages(root, tiers)?;
    check_node()?;
    for (folder, tier) in NPM {
        if tiers.contains(&tier) {
            npm(root, folder)?;
        }
    }
    if tiers.contains(&Tier::Test) {
        check_rust_components()?;
        python(root)?;
    }
    if tiers.contains(&Tier::Bench) {
        stamp::unless_fresh(
            root,
            "venv-bench",
            &BENCH_REQUIREMENTS,
            &["target/venv/bin/moto_server"],
            || process::step("Python packages of the benchmarks", || pip(root, &BENCH_REQUIREMENTS, &[])),
        )?;
    }
    Ok(())
}

/// The browser that tests use, if there is a working one. Ubuntu's stub without its snap doesn't count.
pub fn browser() -> Option<PathBuf> {
    let chosen = std::env::var("CHROME").ok().filter(|name| !name.is_empty());
    let names: Vec<&str> = match &chosen {
        Some(name) => vec![name.as_str()],
        None => BROWSERS.to_vec(),
    };
    names.into_iter().find(|name| process::output(name, &["--version"]).is_some()).map(PathBuf::from)
}

/// Where Python programs of the tests live.
pub fn venv(root: &Path) -> PathBuf {
    root.join("target/venv")
}

/// How packages can be installed here.
#[derive(Debug, PartialEq, Eq)]
enum Right {
    Root,
    Sudo,
    Neither,
}

impl Right {
    fn here() -> Self {
        if rustix::process::geteuid().is_root() {
            Right::Root
        } else if process::output("sudo", &["--version"]).is_some() {
            Right::Sudo
        } else {
            Right::Neither
        }
    }
}

fn system_packages(root: &Path, tiers: &[Tier]) -> Result {
    let mut wanted: Vec<&Package> = PACKAGES.iter().filter(|p| tiers.contains(&p.tier)).collect();
    if tiers.contains(&Tier::Test) && browser().is_none() {
        let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
        if !browser_is_packaged(&release) {
            return failed(no_browser());
        }
        wanted.extend(&BROWSER_PACKAGES);
    }
    let names: Vec<&str> = wanted.iter().map(|p| p.name).collect();
    // It fails when one of them is unknown, and still prints the others.
    let listed = Command::new("dpkg-query")
        .args(["-W", "-f", "${Package} ${db:Status-Status}\n"])
        .args(&names)
        .output();
    let Ok(listed) = listed else {
        println!("This is no Debian or Ubuntu: what they call {} must be here already.", names.join(", "));
        return Ok(());
    };
    let missing = missing(&wanted, &String::from_utf8_lossy(&listed.stdout));
    if missing.is_empty() {
        return Ok(());
    }
    println!("These system packages are missing:");
    for package in &missing {
        println!("    {:<30} {}", package.name, package.why);
    }
    let right = Right::here();
    let commands = install_commands(&right, &missing);
    let typed = commands.iter().map(|words| words.join(" ")).collect::<Vec<_>>().join(" && ");
    match right {
        Right::Root => println!("Installing them: {typed}"),
        Right::Sudo => println!("Installing them; sudo may ask for your password: {typed}"),
        Right::Neither => {
            return failed(format!("installing needs root, and there is no sudo here. As root: {typed}"));
        }
    }
    for words in commands {
        let Some((program, arguments)) = words.split_first() else {
            continue;
        };
        // In this process's own group: sudo asks at the terminal.
        let status = command(program, arguments, root)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .status()
            .context(format_args!("run {program}"))?;
        process::check_interrupted()?;
        if !status.success() {
            return failed(format!("`{}` {}", words.join(" "), process::ending(status)));
        }
    }
    Ok(())
}

fn missing<'a>(wanted: &[&'a Package], listed: &str) -> Vec<&'a Package> {
    let installed = |name: &str| listed.lines().any(|line| line.split_once(' ') == Some((name, "installed")));
    wanted.iter().copied().filter(|package| !installed(package.name)).collect()
}

fn install_commands(right: &Right, packages: &[&'static Package]) -> Vec<Vec<&'static str>> {
    let update = vec!["apt-get", "update", "-q"];
    let mut install = vec!["apt-get", "install", "-q", "-y", "--no-install-recommends"];
    install.extend(packages.iter().map(|package| package.name));
    let mut commands = vec![update, install];
    if *right == Right::Sudo {
        for words in &mut commands {
            words.insert(0, "sudo");
        }
    }
    commands
}

/// Whether apt brings a browser that runs: Ubuntu's packages only fetch a snap, which containers can't.
fn browser_is_packaged(os_release: &str) -> bool {
    !os_release.lines().any(|line| line == "ID=ubuntu")
}

fn no_browser() -> &'static str {
    "the tests of the patients' page need Chromium or Chrome. Ubuntu has Chromium only as a snap: `sudo snap install \
     chromium` where snaps run; elsewhere, as in a container, install Chrome and its driver yourself (for example \
     `npx @puppeteer/browsers install chrome@stable` and `… chromedriver@stable`), put the driver into PATH and the \
     browser's path into $CHROME"
}

fn check_node() -> Result {
    let version = process::output("node", &["--version"]).unwrap_or_default();
    if node_major(&version).is_none_or(|major| major < NODE_MAJOR)
        || process::output("npm", &["--version"]).is_none()
    {
        return failed(format!(
            "Node {NODE_MAJOR} or newer with npm is needed; {}",
            match version.trim() {
                "" => "there is no `node` in PATH".to_owned(),
                version => format!("`node` in PATH is {version}"),
            }
        ));
    }
    Ok(())
}

fn node_major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

fn check_rust_components() -> Result {
    let absent: Vec<&str> = [("rustfmt", "fmt"), ("clippy", "clippy")]
        .into_iter()
        .filter(|(_, command)| process::output("cargo", &[command, "--version"]).is_none())
        .map(|(component, _)| component)
        .collect();
    if absent.is_empty() {
        return Ok(());
    }
    failed(format!("the checks need {0}: rustup component add {0}", absent.join(" ")))
}

fn npm(root: &Path, folder: &str) -> Result {
    let lock = format!("{folder}/package-lock.json");
    let modules = format!("{folder}/node_modules");
    stamp::unless_fresh(root, &format!("npm-{}", folder.replace('/', "-")), &[&lock], &[&modules], || {
        process::step(&format!("npm packages of {folder}"), || {
            process::run(&mut command("npm", &["ci", "--no-audit", "--no-fund"], &root.join(folder)))
        })
    })
}

fn python(root: &Path) -> Result {
    let lists = [REQUIREMENTS.as_slice(), &REQUIREMENTS_ALONE].concat();
    stamp::unless_fresh(root, "venv", &lists, &["target/venv/bin/python"], || {
        process::step("Python packages of the tests", || {
            let venv = venv(root);
            let path = venv.to_string_lossy();
            process::run(&mut command("python3", &["-m", "venv", "--clear", &path], root))?;
            pip(root, &REQUIREMENTS, &[])?;
            pip(root, &REQUIREMENTS_ALONE, &["--no-deps"])
        })
    })
}

/// Installs Python packages by their lists.
fn pip(root: &Path, files: &[&str], options: &[&str]) -> Result {
    let mut pip = Command::new(venv(root).join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check"]).args(options).current_dir(root);
    for file in files {
        pip.args(["-r", file]);
    }
    process::run(&mut pip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_are_those_that_dpkg_does_not_call_installed() {
        let wanted: Vec<&Package> = PACKAGES.iter().filter(|p| p.tier == Tier::Show).collect();
        let names = |listed| missing(&wanted, listed).iter().map(|p| p.name).collect::<Vec<_>>();
        assert_eq!(names("xvfb installed\nscrot installed\n"), [""; 0]);
        assert_eq!(names("xvfb config-files\nscrot installed\n"), ["xvfb"]);
        assert_eq!(names(""), ["xvfb", "scrot"]);
    }

    #[test]
    fn packages_are_installed_by_root_or_through_sudo() {
        let packages: Vec<&Package> = PACKAGES.iter().take(1).collect();
        let as_root = install_commands(&Right::Root, &packages);
        assert!(as_root.iter().all(|words| words[0] == "apt-get"));
        assert_eq!(as_root[1].last(), Some(&"build-essential"));
        let by_sudo = install_commands(&Right::Sudo, &packages);
        assert!(by_sudo.iter().all(|words| words[..2] == ["sudo", "apt-get"]));
    }

    #[test]
    fn ubuntu_has_no_browser_package() {
        assert!(!browser_is_packaged("NAME=\"Ubuntu\"\nID=ubuntu\nID_LIKE=debian\n"));
        assert!(browser_is_packaged("NAME=\"Debian GNU/Linux\"\nID=debian\n"));
    }

    #[test]
    fn node_versions_are_read() {
        assert_eq!(node_major("v20.20.2\n"), Some(20));
        assert_eq!(node_major(""), None);
    }
}
