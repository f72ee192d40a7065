//! `mujaz brief`.
