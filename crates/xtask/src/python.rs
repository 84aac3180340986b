//! A Python with the tools that read the API's description: one makes a client of it, one tries the service out by it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, io};

use crate::error::XtaskError;
use crate::install::{Program, install_missing};
use crate::interrupt;

/// Which tools, with everything that they need, in exact versions.
const LIST: &str = "crates/server/tests/openapi/requirements.txt";

/// The Python of a virtual environment below `target` that has the packages of the list. It is made where there is none, or one of
/// another list.
pub(crate) fn ready() -> Result<PathBuf, XtaskError> {
    // Ours is target/PROFILE/xtask, wherever target is.
    let own = env::current_exe().map_err(|error| XtaskError::Run("xtask", error))?;
    let place = own.ancestors().nth(2).unwrap_or_else(|| Path::new("target")).join("python");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or_else(|| Path::new("."));
    let list = root.join(LIST);
    let wanted = fs::read_to_string(&list).map_err(|error| XtaskError::File(list.clone(), error))?;
    let (python, made_of) = (place.join("bin/python"), place.join("made-of.txt"));
    if python.is_file() && fs::read_to_string(&made_of).is_ok_and(|made| made == wanted) {
        return Ok(python);
    }
    install_missing(&[Program::Python])?;
    eprintln!("cargo xtask: installing the packages of {LIST} in {}", place.display());
    match fs::remove_dir_all(&place) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(XtaskError::File(place, error)),
        _ => {}
    }
    run("python3 -m venv", Command::new("python3").args(["-m", "venv"]).arg(&place))?;
    let install =
        ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--requirement"];
    run("pip install", Command::new(&python).args(install).arg(&list))?;
    // Last: what was interrupted is made anew.
    fs::write(&made_of, wanted).map_err(|error| XtaskError::File(made_of, error))?;
    Ok(python)
}

fn run(name: &'static str, command: &mut Command) -> Result<(), XtaskError> {
    let status =
        interrupt::run(command.stdin(Stdio::null())).map_err(|error| XtaskError::Run(name, error))?;
    match status.success() {
        _ if interrupt::interrupted() => Err(XtaskError::Interrupted),
        true => Ok(()),
        false => Err(XtaskError::Failed(name.to_owned(), status, "see above".to_owned())),
    }
}
