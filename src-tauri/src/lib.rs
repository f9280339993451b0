//! The shell: the native window around the console's core. No SQL, no socket.

mod commands;
mod files;
mod link;
#[cfg(target_os = "linux")]
mod notices;
mod window;

use bedside_client::api::Command;
use bedside_client::{Client, Policy, Setup, SystemKeychain, SystemMachine, Trust, system_doorkeeper};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tauri::{AppHandle, Manager, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent};

/// The window's smallest usable size, in logical pixels: the inbox and 68 characters of text.
const MIN_SIZE: (f64, f64) = (880.0, 560.0);
/// The window's first size.
const SIZE: (f64, f64) = (1280.0, 800.0);
/// How long a closing window may take to save what is typed, and then to send what was held back.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// As whom a demonstration starts.
const DEMO_PROVIDER: &str = "Dr. Amara Osei";

/// The program's command line.
#[derive(Clone, Debug, Default, clap::Parser)]
#[command(name = "bedside", version, about = "Answer your patients' messages")]
pub struct Options {
    /// Keep the cache in this folder instead of the user's own data folder.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Trust this certificate authority too, besides those that the system trusts: a PEM file.
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Keep nothing in the folder of --data once the program has ended, nor what is there now.
    #[arg(long, requires = "data")]
    pub keep_nothing: bool,
    /// If nobody is signed in, sign in at this demonstration server.
    #[arg(long, value_name = "URL")]
    pub demo: Option<String>,
}

/// Why the program couldn't start.
pub type StartError = Box<dyn std::error::Error>;

/// Opens the window, and returns when it is closed.
pub fn run(options: Options) -> Result<(), StartError> {
    // Reading what the system trusts takes a while: meanwhile the window system is made ready.
    let ca_file = options.ca_file.clone();
    let trust = std::thread::spawn(move || trust(ca_file.as_deref()));
    tauri::Builder::default()
        .invoke_handler(tauri::generate_handler![
            commands::call,
            commands::watch,
            commands::attach,
            commands::save_file,
            commands::open_link
        ])
        .register_asynchronous_uri_scheme_protocol(files::SCHEME, |context, request, responder| {
            let client = context.app_handle().state::<commands::Window>().client();
            tauri::async_runtime::spawn(async move {
                responder.respond(files::picture(&client, &request).await);
            });
        })
        .setup(move |app| {
            let trust = trust.join().map_err(|_| "what the system trusts can't be read")??;
            start(app.handle(), options, trust)
        })
        .build(tauri::generate_context!())?
        .run(|_, _| {});
    Ok(())
}

/// Whom to believe; or why nobody can be.
fn trust(ca_file: Option<&Path>) -> Result<Trust, String> {
    let Some(file) = ca_file else { return Trust::system().map_err(|error| error.to_string()) };
    let pem = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    Trust::with_authorities(&pem).map_err(|error| error.to_string())
}

fn start(app: &AppHandle, options: Options, trust: Trust) -> Result<(), StartError> {
    let folder = match options.data {
        Some(folder) => folder,
        // Not the configuration folder and not a roaming one: the cache belongs to this computer.
        None => app.path().app_local_data_dir()?,
    };
    let runtime = tauri::async_runtime::handle();
    let mut policy = Policy::of_this_computer();
    policy.keep_nothing |= options.keep_nothing;
    let keychain = Arc::new(SystemKeychain);
    let (doorkeeper, machine) = (system_doorkeeper(), Arc::new(SystemMachine::default()));
    let setup = Setup { folder, keychain, policy, trust, doorkeeper, machine };
    let client = Client::start(setup, runtime.inner())?;
    app.manage(commands::Window::new(client.clone()));
    let (followed, last_words) = (client.clone(), client.clone());
    if let Some(server) = options.demo {
        tauri::async_runtime::spawn(async move {
            let command = Command::SignInDemo { server, name: DEMO_PROVIDER.to_owned() };
            if let Err(failure) = client.call(command).await {
                tracing::warn!(%failure, "not signed in at the demonstration server");
            }
        });
    }
    // No name of a patient may ever stand in a window's title: task switchers and screenshots show it.
    let window = WebviewWindowBuilder::new(app, "main", WebviewUrl::default())
        .title("Bedside")
        .inner_size(SIZE.0, SIZE.1)
        .min_inner_size(MIN_SIZE.0, MIN_SIZE.1)
        .on_navigation(link::is_own_page)
        // Files are dropped onto the page, which attaches them to a draft.
        .disable_drag_drop_handler()
        .content_protected(followed.shown().borrow().content_protection)
        .build()?;
    window::follow(&window, &followed);
    let closing = window.clone();
    window.on_window_event(move |event| {
        if let WindowEvent::CloseRequested { api, .. } = event {
            api.prevent_close();
            close(closing.clone(), last_words.clone());
        }
    });
    Ok(())
}

/// Hides the window at once and closes it a moment later: a page that is hidden saves what is typed, and what was held
/// back goes out.
fn close(window: WebviewWindow, client: Client) {
    tauri::async_runtime::spawn(async move {
        if let Err(error) = window.hide() {
            tracing::debug!(%error, "the window can't be hidden");
        }
        tokio::time::sleep(LAST_WORDS).await;
        // Signed out, there is nothing to send. A disk that hangs must not keep an unseen window open.
        let _nothing = tokio::time::timeout(LAST_WORDS, client.call(Command::SendHeld)).await;
        tokio::time::sleep(LAST_WORDS).await;
        // What a notification told of is over with the program.
        client.attended(true);
        // Whoever starts the program next gives the passphrase, or says who they are, where that is asked.
        let _none = tokio::time::timeout(LAST_WORDS, client.call(Command::Lock)).await;
        if let Err(error) = window.destroy() {
            tracing::error!(%error, "the window can't be closed");
        }
    });
}
