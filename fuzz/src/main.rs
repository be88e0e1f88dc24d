//! With the feature `libfuzzer`, the target that `EDGEGRANT_FUZZ_TARGET` names under libFuzzer;
//! without it, what writes the seeds of every target below a folder.
#![cfg_attr(feature = "libfuzzer", no_main)]

#[cfg(feature = "libfuzzer")]
mod driver {
    use std::sync::LazyLock;

    static TARGET: LazyLock<fn(&[u8])> = LazyLock::new(|| {
        let name = std::env::var("EDGEGRANT_FUZZ_TARGET").unwrap_or_default();
        let target = edgegrant_fuzz::TARGETS.iter().find(|target| target.name == name);
        target.map_or_else(|| unknown(&name), |target| target.run)
    });

    fn unknown(name: &str) -> fn(&[u8]) {
        eprintln!("error: `{name}` is no target; see `cargo xtask fuzz --help`");
        std::process::exit(2)
    }

    libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (*TARGET)(bytes));
}

#[cfg(not(feature = "libfuzzer"))]
fn main() -> std::io::Result<()> {
    let folder = std::env::args_os().nth(1).unwrap_or_else(|| "corpus".into());
    for target in edgegrant_fuzz::TARGETS {
        let folder = std::path::Path::new(&folder).join(target.name);
        std::fs::create_dir_all(&folder)?;
        for (number, seed) in (target.seeds)().iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{number}")), seed)?;
        }
    }
    Ok(())
}
