//! What can go wrong at the fake hub.

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// Every request gets this status.
    Status(u16),
    /// Every request gets this status with this `X-Error-Code`.
    Refused(u16, &'static str),
    /// The first requests get this status.
    StatusAtFirst(u16, usize),
    /// The first request gets this status with this header line.
    AskedToWait(u16, &'static str),
    /// The first requests are read and not answered: the connection is closed.
    DropAtFirst(usize),
    /// A page for people, with status 200.
    ErrorPage,
    /// Every body breaks off after so many bytes.
    Cut(usize),
    /// The first body breaks off after so many bytes.
    CutOnce(usize),
    /// The body ends early, and its length says so.
    Short(usize),
    /// The body goes on after the file's end.
    Long,
    /// Other bytes than those listed.
    WrongBytes,
    /// The hub lists another file.
    WrongEtag,
    /// The hub lists another size.
    WrongSize,
    /// The hub answers for another commit.
    WrongCommit,
    /// The hub gives a path for an etag.
    PathAsEtag,
    /// The first body breaks off, and the server then ignores from where the rest is wanted.
    CutAndNoRange(usize),
    /// The file lies behind a redirect to another address, as large files do.
    Redirect,
    /// The file lies behind a redirect to another server.
    RedirectElsewhere,
    /// As before, and the address that was given first has run out when the body is asked for.
    RedirectRunsOut,
    /// A redirect that leads to itself.
    RedirectLoop,
    /// A redirect that does not say where to.
    RedirectNowhere,
    /// A page for people, with all the headers of a file.
    DressedPage,
    /// `X-Linked-Size` and the size of what is given are not the same.
    WrongLinkedSize,
    /// Requests for paths that end so get this status.
    StatusFor(&'static str, u16),
    /// The listing is right; the body of paths that end so gets this status.
    BodyStatusFor(&'static str, u16),
    /// The listing is right; the first body gets this status.
    BodyStatusOnce(u16),
    /// The listing is right; the body is a page for people, with all the headers of a file.
    BodyPage,
    /// The listing is right; the body's headers tell of another size.
    BodyOfOtherSize,
    /// The listing is right; the body's headers tell of another file.
    BodyOfOtherEtag,
    /// The listing is right; the body's headers tell of another commit.
    BodyOfOtherCommit,
    /// As before, for the first body only.
    BodyOfOtherCommitOnce,
    /// The repository is gone, its mirror is there.
    OnlyMirror,
    /// Connections are taken, and nothing is answered.
    Silent,
    /// The body comes in small pieces, each after a pause.
    Slow,
    /// The body comes in pieces of so many bytes, with so many milliseconds between them.
    Pieces(usize, u64),
    /// The first body comes to a halt after so many bytes.
    Halt(usize),
    /// Every body comes to a halt after so many bytes.
    HaltAlways(usize),
}
