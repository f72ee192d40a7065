//! What somebody knows better than a checkpoint's own files: a registry, mostly.
//!
//! In: a [`Direction`] and [`Overrides`] as they are written in an entry. Out: the same, fit for an architecture, or in a few
//! words why they are not: a setting that a model has no use for is a mistake, and is not left out silently.

use super::Direction;

/// What goes before the checkpoint's own settings; none for what the checkpoint says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overrides {
    /// How many hypotheses grow.
    pub num_beams: Option<usize>,
    /// A hypothesis' score is its log-probability over its length to this power.
    pub length_penalty: Option<f32>,
    /// No sequence of this many tokens comes twice; 0 for any.
    pub no_repeat_ngram_size: Option<usize>,
    /// Most tokens of a target (of a piece, where a text is cut), the start token included.
    pub max_length: Option<usize>,
}

impl Direction {
    /// Returns whether nothing is said.
    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the direction as models of a kind (`model_type`) are told it. Marian models have a tag for the target, which
    /// may stand as a prefix; M2M-100 has languages, T5 a prefix.
    ///
    /// # Errors
    /// What such a model is not told.
    pub fn fit_for(&self, kind: &str) -> Result<Self, String> {
        let Self { source, target, prefix } = self;
        let not_told = |what: &str| Err(format!("{what} is set, and {kind} models are not told one"));
        match (kind, prefix.as_deref().map(str::trim)) {
            ("marian", _) if source.is_some() => not_told("a source language"),
            ("marian", Some(_)) if target.is_some() => Err("both a target language and a prefix are set".to_owned()),
            ("marian", Some(tag)) if is_tag(tag) => Ok(Self { target: Some(tag.to_owned()), ..Self::default() }),
            ("marian", Some(other)) => Err(format!("the prefix {other:?} is no language tag such as \">>eng<<\"")),
            ("m2m_100", Some(_)) => not_told("a prefix"),
            ("t5" | "mt5", _) if source.is_some() || target.is_some() => not_told("a language (but by a prefix)"),
            _ => Ok(self.clone()),
        }
    }
}

/// Whether a text names a language as Marian models do.
fn is_tag(text: &str) -> bool {
    text.strip_prefix(">>").and_then(|rest| rest.strip_suffix("<<")).is_some_and(|name| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
    })
}

/// Whether a prefix is meant to be one token: `<2en>`.
pub fn is_token(prefix: &str) -> bool {
    prefix.starts_with('<') && prefix.ends_with('>') && !prefix.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn direction(source: Option<&str>, target: Option<&str>, prefix: Option<&str>) -> Direction {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Direction { source: owned(source), target: owned(target), prefix: owned(prefix) }
    }

    #[test]
    fn every_kind_is_told_what_it_understands() {
        let tag = direction(None, Some(">>eng<<"), None);
        assert_eq!(direction(None, None, Some(">>eng<< ")).fit_for("marian"), Ok(tag));
        for (kind, fits) in [
            ("marian", direction(None, Some("eng"), None)),
            ("m2m_100", direction(Some("arb_Arab"), Some("eng_Latn"), None)),
            ("t5", direction(None, None, Some("<2en> "))),
            ("mt5", direction(None, None, Some("summarize: "))),
            ("marian", Direction::default()),
        ] {
            assert_eq!(fits.fit_for(kind).as_ref(), Ok(&fits), "{kind}");
        }
    }

    #[test]
    fn what_a_kind_has_no_use_for_is_refused() {
        for (kind, wrong, says) in [
            ("marian", direction(Some("ar"), None, None), "a source language is set"),
            ("marian", direction(None, Some("eng"), Some(">>eng<< ")), "both a target language and a prefix"),
            ("marian", direction(None, None, Some("translate: ")), "\"translate:\" is no language tag"),
            ("marian", direction(None, None, Some(">>a b<<")), "is no language tag"),
            ("m2m_100", direction(None, None, Some("<2en> ")), "a prefix is set"),
            ("t5", direction(None, Some("en"), None), "a language (but by a prefix) is set"),
        ] {
            let said = wrong.fit_for(kind).unwrap_err();
            assert!(said.contains(says), "{kind}: {said}");
        }
    }

    #[test]
    fn a_prefix_in_angle_brackets_is_a_token() {
        assert!(is_token("<2en>") && !is_token("summarize:") && !is_token("<a b>"));
    }
}
