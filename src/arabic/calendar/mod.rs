//! Dates in Arabic text: in all month systems and calendars, stated, implied and relative.
//!
//! In: text. Out: [`dates`], the Gregorian dates that are stated in full; and [`expressions`], every way to name a day, a
//! week, a month, a year, a span of these or a time of day, as it is written. What day "yesterday" was is left to who knows
//! when the text was written (see [`crate::document`]). Conversion of the Islamic calendar is [`hijri`]'s.

mod clock;
pub mod expression;
mod grammar;
pub mod hijri;
mod months;
mod numeric;
mod parts;
mod range;
mod relative;
mod stated;
mod tokens;
mod umm_al_qura;
mod years;

pub use clock::zoned_beside;
pub use expression::{Expression, expressions};
pub use months::{WEEKDAYS, month, month_outside_dates};
pub use stated::{FoundDate, dates};
