//! What the Python library asks besides files: which there are.

use std::io::Write;
use std::net::TcpStream;

use serde_json::json;

use super::{MIRROR, REPO, REVISION, State};

impl State {
    /// Answers `/api/models/...`: a repository's only commit, or the list of its files.
    pub(super) fn api(&self, mut stream: TcpStream, asked: &str) -> std::io::Result<()> {
        let path = asked.split('?').next().unwrap_or(asked);
        let Some((repo, rest)) = [REPO, MIRROR].iter().find_map(|repo| Some((repo, path.strip_prefix(repo)?))) else {
            return self.refuse(stream, 404, "X-Error-Code: RepoNotFound\r\n");
        };
        let siblings: Vec<_> = self.files.iter().map(|file| json!({ "rfilename": file.path })).collect();
        let tree = self.files.iter().map(|file| {
            let (bytes, is_large) = (file.bytes.len(), file.etag.len() == 64);
            let oid = if is_large { "a".repeat(40) } else { file.etag.clone() };
            let mut entry = json!({ "type": "file", "oid": oid, "size": bytes, "path": file.path });
            if is_large {
                entry["lfs"] = json!({ "oid": file.etag, "size": bytes, "pointerSize": 134 });
            }
            entry
        });
        let body = match rest.trim_matches('/').split('/').collect::<Vec<_>>().as_slice() {
            ["" | "revision", ..] => json!({
                "_id": "0", "id": repo, "modelId": repo, "sha": REVISION, "private": false, "gated": false,
                "disabled": false, "tags": [], "downloads": 0, "likes": 0, "siblings": siblings,
            }),
            ["tree", ..] => json!(tree.collect::<Vec<_>>()),
            _ => return self.refuse(stream, 404, "X-Error-Code: RevisionNotFound\r\n"),
        };
        let body = body.to_string();
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    }
}
