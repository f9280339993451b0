//! A Tauri window with an empty page, as large as ours: what a window takes that does nothing.

fn main() {
    tauri::Builder::default().run(tauri::generate_context!()).expect("a window");
}
