//! What can be typed: clap types without logic. Their doc comments are the help texts.

mod models;

use std::path::PathBuf;

pub use models::{AddArgs, LockArgs, ModelsArgs, ModelsCommand, TaskArg};

use clap::{Args, Parser, Subcommand, ValueEnum};
use mujaz::arabic::letters::{CLEANING, Rule};

/// Turn Arabic news articles into English briefing notes, on this machine alone
///
/// mujaz reads saved articles, strips the page around them, translates them with open models that run here, checks
/// every sentence for lost names, changed figures and the like, and writes a note with a three-bullet summary for each.
/// What it could not do is marked where it stands, counted at the end, and told by exit code 1.
///
/// Exit codes: 0 all good; 1 some inputs failed or some output is flagged; 2 usage or configuration; 3 model or hub;
/// 4 a fault in mujaz itself.
#[derive(Debug, Parser)]
#[command(name = "mujaz", version, max_term_width = 100, arg_required_else_help = true)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Arguments of every command.
#[derive(Debug, Args)]
pub struct GlobalArgs {
    /// Add the models of this TOML file to the built-in registry
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    pub registry: Option<PathBuf>,
    /// Never use the network; also set by `HF_HUB_OFFLINE=1`
    #[arg(long, global = true, help_heading = "Global options")]
    pub offline: bool,
    /// Use no model but those of the lock file, with just the files it lists (see `mujaz models lock`)
    #[arg(long, global = true, help_heading = "Global options")]
    pub locked: bool,
    /// The lock file
    #[arg(long, global = true, value_name = "FILE", default_value = "mujaz.lock", help_heading = "Global options")]
    pub lock_file: PathBuf,
    /// Trust the certificates of this PEM file, and no others, when models are fetched; also set by `SSL_CERT_FILE`
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    pub ca_file: Option<PathBuf>,
    /// Read weights from pickle files (`pytorch_model.bin`) where nothing better is there; nothing in them is executed
    #[arg(long, global = true, help_heading = "Global options")]
    pub allow_pickle: bool,
    /// Threads to compute with [default: all cores]
    #[arg(long, global = true, value_name = "N", value_parser = threads(), help_heading = "Global options")]
    pub threads: Option<usize>,
    /// Draw no progress bars
    #[arg(long, global = true, help_heading = "Global options")]
    pub no_progress: bool,
    /// Say only what went wrong
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Global options")]
    pub quiet: bool,
    /// Say more about what is being done
    #[arg(short, long, global = true, help_heading = "Global options")]
    pub verbose: bool,
}

const BRIEF_EXAMPLES: &str = "\
Examples:
  mujaz brief articles -o notes                               the best translator that is there
  mujaz brief articles --translator ./opus-mt-tc-big-ar-en    a checkpoint folder
  mujaz brief articles --summarizer mt5-m2o-english-crosssum  a summariser writes the first bullet";

const EXTRACT_EXAMPLES: &str = "\
Examples:
  mujaz extract articles > articles.jsonl               everything in a folder, one JSON object an article
  mujaz extract archive.zip page.html mail.eml -o out   a JSON file for each article
  mujaz extract table.csv --text-field story            an article a row, the text in the column \"story\"
  mujaz extract articles -o out --report                and what was skipped, refused or repaired, and why";

const TRANSLATE_EXAMPLES: &str = "\
Examples:
  mujaz translate article.txt                   checked, flagged sentences marked
  mujaz translate --raw - < lines.ar > lines.en one line out for one line in, as the model says it
  mujaz translate --raw lines.ar --translator ./opus-mt-tc-big-ar-en --precision f32 --beam 6";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write an English briefing note for each article, and one for all
    #[command(after_help = BRIEF_EXAMPLES)]
    Brief(BriefArgs),
    /// Translate articles into English
    #[command(after_help = TRANSLATE_EXAMPLES)]
    Translate(TranslateArgs),
    /// Write a short bullet summary in English of Arabic or English articles
    Summarize(SummarizeArgs),
    /// Print the cleaned article as JSON: title, byline, date, blocks, segments; needs no model
    #[command(after_help = EXTRACT_EXAMPLES)]
    Extract(ExtractArgs),
    /// Judge given translations: lost names, changed figures, omissions and more; needs no model
    Check(CheckArgs),
    /// List, get, add, verify, lock, move and remove models
    Models(ModelsArgs),
    /// Measure how good a model's translations are: BLEU and chrF against references
    Eval(EvalArgs),
    /// Measure how fast a model runs on this machine
    Bench(BenchArgs),
    /// Show what mujaz sees of this machine and of the models here, and what it would choose and why
    Doctor(DoctorArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print the manual page (roff)
    Man,
}

/// The articles to read.
#[derive(Debug, Args)]
pub struct Inputs {
    /// Files, folders (searched through, hidden files left out), or - for standard input
    ///
    /// What a file is, its content says before its name: text, web pages, Word and OpenDocument files, PDF, mails and
    /// the like are an article each; .zip and .tar.gz hold files, .csv, .tsv and .jsonl an article a row, RSS and Atom
    /// an article an entry. In folders only files with such names are read.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Read the text in this encoding instead of detecting it: utf-8, utf-16le, windows-1256, iso-8859-6
    #[arg(long, value_name = "LABEL")]
    pub encoding: Option<String>,
    /// Column of tables (.csv, .tsv, .jsonl) that holds the text [default: text, body, content, النص and the like]
    #[arg(long, value_name = "NAME")]
    pub text_field: Option<String>,
    /// Column that holds the headline [default: title, headline, العنوان and the like]
    #[arg(long, value_name = "NAME")]
    pub title_field: Option<String>,
    /// Column that holds the date of publication [default: date, published, التاريخ and the like]
    #[arg(long, value_name = "NAME")]
    pub date_field: Option<String>,
    /// Read an article as Arabic that seems to be in another language, instead of refusing it
    #[arg(long)]
    pub force_language: bool,
    /// Also clean these when reading: diacritics, digits (to 0-9), quotes (to " and '), tatweel; comma-separated
    #[arg(long, value_name = "RULE", value_delimiter = ',', value_parser = cleaning_rule())]
    pub clean: Vec<String>,
    /// Leave these as they stand: invisible (direction marks and zero-width characters), spaces, presentation-forms,
    /// stretching (tatweel beside a letter)
    #[arg(long, value_name = "RULE", value_delimiter = ',', value_parser = cleaning_rule())]
    pub keep: Vec<String>,
}

/// Reads the name of a rule of cleaning.
fn cleaning_rule() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(Rule::READING.iter().map(|(name, _)| *name))
}

impl Inputs {
    /// Returns what these say of how articles are read.
    pub fn options(&self) -> mujaz::options::Options {
        let fields = mujaz::options::FieldNames {
            text: self.text_field.clone(),
            title: self.title_field.clone(),
            date: self.date_field.clone(),
        };
        let rules = |names: &[String]| names.iter().filter_map(|name| Rule::by_name(name)).collect::<Vec<Rule>>();
        let (clean, keep) = (rules(&self.clean), rules(&self.keep));
        let mut cleaning: Vec<Rule> = CLEANING.to_vec();
        cleaning.extend(clean.iter().filter(|rule| !CLEANING.contains(rule)));
        cleaning.retain(|rule| !keep.contains(rule));
        mujaz::options::Options {
            cleaning,
            encoding: self.encoding.clone(),
            fields,
            force_language: self.force_language,
            ..mujaz::options::Options::default()
        }
    }
}

/// Whether missing models may be fetched.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct PullArgs {
    /// Fetch a model that is missing without asking; otherwise a terminal is asked, and a script is told what to run
    #[arg(long, visible_alias = "yes", short_alias = 'y')]
    pub pull: bool,
}

/// Which model translates.
#[derive(Debug, Args)]
pub struct TranslatorArgs {
    /// Model that translates: an id of `mujaz models list`, a checkpoint folder laid out as on the hub, a GGUF file, or
    /// auto: the best that is here and fits into memory
    #[arg(long, value_name = "auto|ID|PATH", default_value = "auto")]
    pub translator: String,
    /// Whether it may be fetched.
    #[command(flatten)]
    pub pull: PullArgs,
    /// How weights are kept in memory: int8 is a quarter of the size and faster, f32 computes as the model was trained
    #[arg(long, value_name = "f32|int8", value_enum, hide_possible_values = true, default_value = "int8")]
    pub precision: PrecisionArg,
}

/// Which models do the work.
#[derive(Debug, Args)]
pub struct ModelArgs {
    /// The one that translates.
    #[command(flatten)]
    pub translator: TranslatorArgs,
    /// Model for the summary: an instruct model words every bullet, a summariser reads the article and writes the first
    /// one; an id or a path, auto for the best that is here and fits into memory, or extractive for none
    #[arg(long, value_name = "auto|extractive|ID|PATH", default_value = "extractive")]
    pub summarizer: String,
}

/// How weights are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PrecisionArg {
    /// 32-bit floating point
    F32,
    /// 8-bit integers with scales
    Int8,
}

/// Formats of a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum NoteFormat {
    /// Markdown, for people
    Md,
    /// JSON, for programs
    Json,
}

/// Formats of a translation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TranslationFormat {
    /// Plain English text
    Txt,
    /// Markdown with flagged segments marked
    Md,
    /// JSON with segments, spans and verdicts
    Json,
}

/// `mujaz brief`
#[derive(Debug, Args)]
pub struct BriefArgs {
    /// The articles.
    #[command(flatten)]
    pub inputs: Inputs,
    /// Write the notes into this folder [default: notes; one file alone is printed]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Formats to write, comma-separated
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["md", "json"])]
    pub format: Vec<NoteFormat>,
    /// The models.
    #[command(flatten)]
    pub models: ModelArgs,
    /// How many bullets a summary has
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=9))]
    pub bullets: u8,
    /// Make notes again that are there already
    #[arg(long)]
    pub force: bool,
}

/// `mujaz translate`
#[derive(Debug, Args)]
pub struct TranslateArgs {
    /// The articles.
    #[command(flatten)]
    pub inputs: Inputs,
    /// Write into this folder, or - for standard output
    #[arg(short, long, value_name = "DIR|-", default_value = "-")]
    pub output: PathBuf,
    /// Format to write
    #[arg(long, value_enum, default_value = "txt")]
    pub format: TranslationFormat,
    /// The model.
    #[command(flatten)]
    pub model: TranslatorArgs,
    /// Translate line by line, one line out for one line in: the model's best hypothesis, without checks, retries or marks
    #[arg(long)]
    pub raw: bool,
    /// Beams of the search, with --raw (encoder-decoder models) [default: what the checkpoint says]
    #[arg(long, value_name = "N", requires = "raw", value_parser = beams())]
    pub beam: Option<usize>,
}

/// `mujaz summarize`
#[derive(Debug, Args)]
pub struct SummarizeArgs {
    /// The articles.
    #[command(flatten)]
    pub inputs: Inputs,
    /// Write into this folder, or - for standard output
    #[arg(short, long, value_name = "DIR|-", default_value = "-")]
    pub output: PathBuf,
    /// The models.
    #[command(flatten)]
    pub models: ModelArgs,
    /// How many bullets a summary has
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=9))]
    pub bullets: u8,
}

/// `mujaz extract`
#[derive(Debug, Args)]
pub struct ExtractArgs {
    /// The articles.
    #[command(flatten)]
    pub inputs: Inputs,
    /// Write one JSON file an article into this folder, or - for standard output (one JSON object a line)
    #[arg(short, long, value_name = "DIR|-", default_value = "-")]
    pub output: PathBuf,
    /// Say at the end what was read, skipped, refused, repaired, and what is the same text; as JSON into FILE where one is
    /// named, else into report.json of -o DIR
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    pub report: Option<Option<PathBuf>>,
}

/// `mujaz check`
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Pairs to judge, one {"id","source","target"} a line, or - for standard input
    #[arg(value_name = "PAIRS.jsonl|-")]
    pub pairs: PathBuf,
}

/// `mujaz eval`
///
/// Segments that the checks flag are counted; they do not change the exit code.
#[derive(Debug, Args)]
pub struct EvalArgs {
    /// Pairs, one JSON object a line: "ar" and "en" (lists of sentences), or "source" and "reference"
    #[arg(value_name = "FILE.jsonl", required_unless_present = "source", conflicts_with_all = ["source", "reference"])]
    pub pairs: Option<PathBuf>,
    /// Sources, one a line
    #[arg(long, value_name = "FILE", requires = "reference")]
    pub source: Option<PathBuf>,
    /// Their references, one a line
    #[arg(long, value_name = "FILE", requires = "source")]
    pub reference: Option<PathBuf>,
    /// The model.
    #[command(flatten)]
    pub model: TranslatorArgs,
    /// Take the first N segments only
    #[arg(long, value_name = "N")]
    pub limit: Option<std::num::NonZeroUsize>,
    /// Write what was translated into this file, one line a segment
    #[arg(long, value_name = "FILE")]
    pub hypotheses: Option<PathBuf>,
    /// Score the lines of this file instead of translating
    #[arg(long, value_name = "FILE", conflicts_with_all = ["translator", "hypotheses", "beam"])]
    pub score: Option<PathBuf>,
    /// Take the model's best hypothesis as it is, without checks and retries
    #[arg(long)]
    pub raw: bool,
    /// Beams of the search, with --raw (encoder-decoder models) [default: what the checkpoint says]
    #[arg(long, value_name = "N", requires = "raw", value_parser = beams())]
    pub beam: Option<usize>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `mujaz bench`
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Model to measure: an id of `mujaz models list` [default: the best translator that is there]
    #[arg(long, value_name = "ID", conflicts_with = "model_dir")]
    pub model: Option<String>,
    /// Checkpoint folder or GGUF file to measure
    #[arg(long, value_name = "DIR")]
    pub model_dir: Option<PathBuf>,
    /// Text to translate, one sentence a line (encoder-decoder models) [default: built-in sentences]
    #[arg(long, value_name = "LINES")]
    pub input: Option<PathBuf>,
    /// Beams (encoder-decoder models)
    #[arg(long, value_name = "N", default_value = "1", value_parser = beams())]
    pub beam: usize,
    /// Write just this many tokens a sentence, whatever the model would do (encoder-decoder models)
    #[arg(long, value_name = "N", value_parser = tokens())]
    pub force_tokens: Option<usize>,
    /// Whether the model may be fetched.
    #[command(flatten)]
    pub pull: PullArgs,
    /// Measure this often and report the best
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub repeat: usize,
    /// How weights are kept in memory: int8 is a quarter of the size and faster, f32 computes as the model was trained
    #[arg(long, value_name = "f32|int8", value_enum, hide_possible_values = true, default_value = "int8")]
    pub precision: PrecisionArg,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `mujaz doctor`
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `mujaz completions`
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// Numbers of threads that can compute: more than any machine has would only wait for each other.
fn threads() -> impl clap::builder::TypedValueParser<Value = usize> {
    use clap::builder::TypedValueParser;
    clap::value_parser!(u16).range(1..=1024).map(usize::from)
}

/// Numbers of beams that a search can have.
fn beams() -> impl clap::builder::TypedValueParser<Value = usize> {
    use clap::builder::TypedValueParser;
    clap::value_parser!(u8).range(1..=64).map(usize::from)
}

/// Numbers of tokens that can be forced.
fn tokens() -> impl clap::builder::TypedValueParser<Value = usize> {
    use clap::builder::TypedValueParser;
    clap::value_parser!(u16).range(1..=4096).map(usize::from)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
