//! Rebuilds when the patients' page, which is embedded, was built anew.

fn main() {
    println!("cargo:rerun-if-changed=page/dist");
}
