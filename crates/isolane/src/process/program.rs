//! How a pool's child process is started, and how a program becomes one. Plain data on the host's
//! side; the start itself runs on the supervisor's thread.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

/// Where a pool's isolates live.
#[derive(Clone, Debug, Default)]
pub enum Isolation {
    /// In this process, on threads of their own.
    #[default]
    InProcess,
    /// In a child process, which a supervisor starts again when it ends. What V8 treats as fatal then
    /// costs the child and not this process. Not available on Windows.
    Process(ChildProgram),
}

/// The program that a child process runs. Its `main` calls [`run_if_child`] before anything else.
#[derive(Clone, Debug)]
#[cfg_attr(not(unix), expect(dead_code, reason = "nothing is started there"))]
pub struct ChildProgram {
    program: PathBuf,
    args: Vec<OsString>,
}

impl ChildProgram {
    /// A program by its path, with its arguments.
    pub fn new(
        program: impl Into<PathBuf>,
        args: impl IntoIterator<Item = impl Into<OsString>>,
    ) -> Self {
        Self {
            program: program.into(),
            args: args.into_iter().map(Into::into).collect(),
        }
    }

    /// This very executable, run again.
    ///
    /// # Errors
    ///
    /// Where the system does not know its path.
    pub fn current_exe() -> io::Result<Self> {
        Ok(Self::new(std::env::current_exe()?, [""; 0]))
    }
}

/// Set in the environment of child processes, and nowhere else.
#[cfg(unix)]
const MARK: &str = "ISOLANE_CHILD";

/// Serves a pool, where this process was started for that, and then never returns; else does nothing.
///
/// A program that is its own child's program ([`ChildProgram::current_exe`]) calls it first of all in
/// its `main`.
///
/// # Examples
///
/// ```no_run
/// use isolane::{ChildProgram, Isolation, IsolatePool, PoolOptions};
///
/// isolane::run_if_child();
/// let pool = IsolatePool::new(PoolOptions {
///     isolation: Isolation::Process(ChildProgram::current_exe()?),
///     ..PoolOptions::default()
/// })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn run_if_child() {
    #[cfg(unix)]
    if std::env::var_os(MARK).is_some() {
        super::child::serve();
    }
}

#[cfg(unix)]
pub(crate) use unix::Spawned;

#[cfg(unix)]
mod unix {
    use std::io::{self, PipeReader};
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    use std::os::unix::process::CommandExt;
    use std::process::{Child, Command, Stdio};

    use super::{ChildProgram, MARK};

    /// What a child inherits of the environment: where its libraries are, and what its guests see of
    /// the host's language and time zone.
    const INHERITED: [&str; 7] = [
        "LD_LIBRARY_PATH",
        "DYLD_LIBRARY_PATH",
        "TZ",
        "LANG",
        "LC_ALL",
        "LC_MESSAGES",
        "ICU_DATA",
    ];

    /// A child process that has just been started.
    pub(crate) struct Spawned {
        pub(crate) child: Child,
        /// Frames go both ways.
        pub(crate) socket: UnixStream,
        /// What the child says while it dies.
        pub(crate) last_words: PipeReader,
    }

    impl ChildProgram {
        /// Starts the program. The calling thread must last as long as the child, which is told when
        /// that thread ends.
        pub(crate) fn spawn(&self) -> io::Result<Spawned> {
            let (socket, theirs) = UnixStream::pair()?;
            let (last_words, their_words) = io::pipe()?;
            let inherited = INHERITED
                .into_iter()
                .filter_map(|name| Some((name, std::env::var_os(name)?)));
            let child = Command::new(&self.program)
                .args(&self.args)
                .env_clear()
                .envs(inherited)
                .env(MARK, "1")
                .stdin(OwnedFd::from(theirs))
                .stdout(their_words)
                .stderr(Stdio::null())
                // Ctrl-C in a terminal goes to the foreground's group: the parent decides what then.
                .process_group(0)
                .spawn()?;
            Ok(Spawned {
                child,
                socket,
                last_words,
            })
        }
    }
}
