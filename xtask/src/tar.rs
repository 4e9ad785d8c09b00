//! A writer of plain tar archives (ustar), enough for image layers, charts and docker archives.
//! The same input gives the same bytes everywhere: no times, no owners.

/// An archive under construction.
#[derive(Default)]
pub struct Tar(Vec<u8>);

impl Tar {
    /// Adds a regular file; the name is at most 100 bytes.
    pub fn add(&mut self, name: &str, content: &[u8]) {
        assert!(name.len() <= 100, "tar names are at most 100 bytes: {name}");
        let mut header = [0_u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        put(&mut header, 100, "0000644\0");
        put(&mut header, 108, "0000000\0");
        put(&mut header, 116, "0000000\0");
        put(&mut header, 124, &format!("{:011o}\0", content.len()));
        put(&mut header, 136, "00000000000\0");
        put(&mut header, 148, "        ");
        put(&mut header, 156, "0");
        put(&mut header, 257, "ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        put(&mut header, 148, &format!("{sum:06o}\0 "));
        self.0.extend_from_slice(&header);
        self.0.extend_from_slice(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
    }

    /// The archive.
    pub fn finish(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        self.0
    }
}

fn put(header: &mut [u8; 512], at: usize, text: &str) {
    header[at..at + text.len()].copy_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    #[test]
    fn the_systems_tar_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.tar");
        let mut tar = super::Tar::default();
        tar.add("dir/one.txt", b"hello");
        tar.add("two", &[7; 513]);
        std::fs::write(&file, tar.finish()).unwrap();
        let listed = Command::new("tar").arg("-tf").arg(&file).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&listed.stdout), "dir/one.txt\ntwo\n");
        let shown = Command::new("tar").arg("-xOf").arg(&file).arg("dir/one.txt").output().unwrap();
        assert_eq!(shown.stdout, b"hello");
    }
}
