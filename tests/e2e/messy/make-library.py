#!/usr/bin/env python3
"""A music library as people have them, with all the usual oddities.

  make-library.py FOLDER [MUSIC]

MUSIC: a folder <artist>/<album>/<title> whose songs are copied in as the good ones; without it, they are
synthesised. Prints the expected results as JSON: {"left_out": {path: words of the reason}, "labels": [left
out], "ignored": n, "used": n or null}.
"""

import array
import json
import math
import os
import random
import shutil
import struct
import sys
import unicodedata
import wave

RATE = 16000


def tone(artist, song, seconds):
    """Each artist has its own sound, each song its own key; one second of it, repeated."""
    step = 2 * math.pi * (220 + 37 * artist + 5 * song) / RATE
    second = array.array("h", (
        int(9000 * (math.sin(step * i) + 0.5 * math.sin(step * i * (2 + artist % 3)) + 0.2 * math.sin(i / 50 * artist)))
        for i in range(RATE)))
    return (second * math.ceil(seconds))[: int(RATE * seconds)]


def write_wav(path, samples):
    with wave.open(path, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(samples.tobytes())


def write_24_bit(path, samples):
    """An odd number of bytes of audio, and the pad byte that the format requires."""
    if len(samples) % 2 == 0:
        samples = samples[:-1]
    data = b"".join(struct.pack("<i", s << 8)[:3] for s in samples)
    fmt = struct.pack("<HHIIHH", 1, 1, RATE, RATE * 3, 3, 24)
    body = b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", len(data)) + data + b"\0"
    with open(path, "wb") as out:
        out.write(b"RIFF" + struct.pack("<I", len(body)) + body)


class Library:
    def __init__(self, folder, music):
        self.folder, self.left_out, self.labels, self.ignored, self.used = folder, {}, [], 0, 0
        self.sources = []
        for root, folders, names in sorted(os.walk(music) if music else []):
            folders.sort()
            self.sources += [os.path.join(root, name) for name in sorted(names)]
        self.artists = {}

    def place(self, path):
        whole = os.path.join(self.folder, path)
        os.makedirs(os.path.dirname(whole), exist_ok=True)
        return whole

    def song(self, path, artist, number, reason=None, seconds=31):
        """@path without its extension.  @reason: why it is skipped; "" where its label is excluded."""
        if self.sources:
            source = self.take_source(artist)
            path += os.path.splitext(source)[1]
            shutil.copyfile(source, self.place(path))
        else:
            path += ".wav"
            write_wav(self.place(path), tone(artist, number, seconds + number % 5))
        if reason is None:
            self.used += 1
        elif reason:
            self.left_out[path] = reason
        return path

    def take_source(self, artist):
        """Each artist gets the songs of one artist of MUSIC, in order."""
        theirs = sorted({os.path.relpath(s, os.path.dirname(os.path.dirname(os.path.dirname(s)))).split(os.sep)[0]
                         for s in self.sources})
        name = self.artists.setdefault(artist, theirs[len(self.artists) % len(theirs)])
        for source in self.sources:
            if source.split(os.sep)[-3] == name:
                self.sources.remove(source)
                return source
        return self.sources.pop()

    def put(self, path, content, reason=None):
        with open(self.place(path), "wb") as out:
            out.write(content)
        if reason:
            self.left_out[path] = reason

    def copy(self, source, path, reason=None, link=False, head=b""):
        if link:
            os.link(os.path.join(self.folder, source), self.place(path))
        else:
            with open(os.path.join(self.folder, source), "rb") as old, open(self.place(path), "wb") as new:
                new.write(head + old.read())
        if reason:
            self.left_out[path] = reason
        else:
            self.used += 1


def add_artists(lib):
    for i in range(4):
        lib.song(f"Mika/Life in Cartoon Motion/0{i} Song {i}", 0, i)
    for i in range(6):
        lib.song(f"Mika/The Boy/CD{1 + i // 3}/Track {i}", 0, 10 + i)
    lib.song("Mika/Loose Single", 0, 20)
    for i in range(4):
        lib.song(f".38 Special/Tour de Force/{i}", 1, i)
    for i in range(5):
        lib.song(f"Metallica/...And Justice for All/.{i} hidden", 2, i)
    for i in range(6):
        form = "NFC" if i % 2 else "NFD"
        lib.song(unicodedata.normalize(form, f"Björk/Début {i % 2}/Jóga {i}"), 3, i)
    for i in range(4):
        lib.song(f"友達 🎵/a b  c/ {i} ", 4, i)
    for i, name in enumerate(['"quotes" \'n\' all', "new\nline", "$HOME `id` $(id)", "esc \033[2J", "100% {artist}"]):
        lib.song(f"The “Q” & $HOME 'Band'/{name}/{name}", 5, i)
    for i in range(4):
        lib.song(f"\u202eفيروز/بيروت/{i}", 6, i)


def add_left_out(lib):
    lib.labels += ["One Hit", "Two Hits", "Various Artists", "VA"]
    lib.song("One Hit/Wonder/Song", 7, 0, "")
    for i in range(2):
        lib.song(f"Two Hits/Wonders/{i}", 7, 1 + i, "")
    for i in range(4):
        lib.song(f"Various Artists/Now {i}/Hit {i}", 8, i, "")
    lib.song("VA/Hits/Hit", 8, 9, "")
    for i in range(3):
        lib.song(f"loose {i}", 9, i, "is not inside an artist folder")


def add_copies(lib, first):
    lib.copy(first, "Mika/Z Best Of/Again" + os.path.splitext(first)[1], "same recording as")
    lib.copy(first, "Mika/Z Best Of/Linked" + os.path.splitext(first)[1], "same recording as", link=True)
    lib.copy(first, "Mika/Z Best Of/Tagged" + os.path.splitext(first)[1], "same recording as",
             head=b"ID3\4\0\0\0\0\0\7title\0\0")
    lib.copy(first, "Metallica/Covers/Cover" + os.path.splitext(first)[1])


def add_damaged(lib):
    noise = random.Random(7).randbytes(20000)
    lib.put("Mika/Bad/empty.mp3", b"", "")
    lib.left_out["Mika/Bad/empty.mp3"] = "empty"
    lib.put("Mika/Bad/page.mp3", b"<!DOCTYPE html><html><title>404 Not Found</title></html>" * 30, "page.mp3")
    lib.put("Mika/Bad/noise.flac", noise, "noise.flac")
    lib.put("Mika/Bad/notes.ogg", b"Buy the record.\n" * 40, "notes.ogg")
    write_wav(lib.place("Mika/Bad/short.wav"), tone(0, 30, 2))
    lib.left_out["Mika/Bad/short.wav"] = "too short"
    write_wav(lib.place("Mika/Bad/cut.wav"), tone(0, 31, 60))
    os.truncate(lib.place("Mika/Bad/cut.wav"), 300000)
    lib.left_out["Mika/Bad/cut.wav"] = "cut.wav"
    os.symlink("nowhere.mp3", lib.place("Mika/Bad/dangling.mp3"))
    lib.left_out["Mika/Bad/dangling.mp3"] = "leads nowhere"
    os.mkfifo(lib.place("Mika/Bad/pipe.mp3"))
    lib.left_out["Mika/Bad/pipe.mp3"] = "not a regular file"
    write_wav(lib.place("Mika/Odd/silence.wav"), array.array("h", bytes(2 * RATE * 31)))
    lib.left_out["Mika/Odd/silence.wav"] = "silen"
    write_24_bit(lib.place("Mika/Odd/24 bit.wav"), tone(0, 33, 31))
    write_wav(lib.place("Mika/Odd/wave called.mp3"), tone(0, 34, 31))
    write_wav(lib.place("Mika/Odd/just above.wav"), tone(0, 35, 10.0001))  # an odd number of samples
    lib.used += 3


def add_junk(lib):
    for name in ["._00 Song 0.wav", ".DS_Store", "Thumbs.db", "desktop.ini", "@eaDir/00 Song 0.wav/SYNOAUDIO.jpg",
                 "#recycle/old.wav", ".Trash-1000/files/gone.wav", "__MACOSX/x.wav", ".git/HEAD"]:
        lib.put(f"Mika/Life in Cartoon Motion/{name}", b"junk")
    lib.put("#recycle/Mika/Old/1.wav", b"junk")
    for name in ["cover.jpg", "Folder.JPG", "rip.log", "album.cue", "list.m3u", "README", "film.mkv", "notes.mid"]:
        lib.put(f"Mika/Life in Cartoon Motion/{name}", b"not music")
        lib.ignored += 1
    os.makedirs(os.path.join(lib.folder, "Empty Artist/Empty Album"), exist_ok=True)


def make(folder, music=None):
    lib = Library(folder, music)
    add_artists(lib)
    first = next(os.path.relpath(os.path.join(root, name), folder)
                 for root, _, names in sorted(os.walk(os.path.join(folder, "Mika/Life in Cartoon Motion")))
                 for name in sorted(names))
    add_left_out(lib)
    add_copies(lib, first)
    add_damaged(lib)
    add_junk(lib)
    return {"left_out": lib.left_out, "labels": lib.labels, "ignored": lib.ignored, "used": None if music else lib.used}


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    print(json.dumps(make(*sys.argv[1:])))
