#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the small files under tests/fuzz/seeds from which the fuzz programs start; run through tools/reference_env.sh.

Made with soundfile 0.14.0 (libsndfile 1.2.2).
"""
import io
import pathlib

import numpy as np
import soundfile

SEEDS = pathlib.Path(__file__).resolve().parent / "seeds"
FORMATS = {
    "pcm16.wav": ("WAV", "PCM_16"), "pcm24.wav": ("WAV", "PCM_24"), "u8.wav": ("WAV", "PCM_U8"),
    "float.wav": ("WAV", "FLOAT"), "double.wav": ("WAV", "DOUBLE"), "extensible.wav": ("WAVEX", "PCM_16"),
    "ulaw.wav": ("WAV", "ULAW"), "adpcm.wav": ("WAV", "IMA_ADPCM"), "rf64.wav": ("RF64", "PCM_16"),
    "pcm16.flac": ("FLAC", "PCM_16"), "pcm24.flac": ("FLAC", "PCM_24"), "layer3.mp3": ("MP3", "MPEG_LAYER_III"),
    "vorbis.ogg": ("OGG", "VORBIS"), "pcm16.aiff": ("AIFF", "PCM_16"), "voice.opus": ("OGG", "OPUS"),
    "pcm16.au": ("AU", "PCM_16"), "pcm16.w64": ("W64", "PCM_16"),
}
APE = b"APETAGEX" + bytes([0xD0, 7, 0, 0, 32, 0, 0, 0]) + bytes(16)


def mp3(samples, rate, **options):
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="MP3", subtype="MPEG_LAYER_III", **options)
    return buffer.getvalue()


def mp3_kinds(tone):
    """MP3 files of each kind that decode_mpg123.cpp treats in a way of its own."""
    mono = tone[:, 0]
    variable = mp3(tone, 44100, bitrate_mode="VARIABLE")
    first = variable.index(variable[:2], 4)  # behind the Info frame
    bare = variable[first:]
    middle = bare.index(bare[:2], len(bare) // 2)
    tagged = b"ID3\x04\0\0\0\0\0\x0aTIT2\0\0\0\0\0\0" + bare + APE + b"TAG" + bytes(125)
    return {
        "variable.mp3": variable, "bare.mp3": bare, "mono.mp3": mp3(mono, 48000, bitrate_mode="CONSTANT"),
        "low_rate.mp3": mp3(mono, 11025), "tagged.mp3": tagged, "cut.mp3": variable[:len(variable) * 2 // 3],
        "zeros.mp3": bare[:middle] + bytes(300) + bare[middle + 300:],
        "two_kinds.mp3": bare + mp3(mono, 22050),
    }


def main():
    SEEDS.mkdir(exist_ok=True)
    time = np.arange(400) / 8000
    tone = 0.5 * np.stack([np.sin(2 * np.pi * 440 * time), np.sin(2 * np.pi * 660 * time)], axis=1)
    for name, (kind, subtype) in FORMATS.items():
        soundfile.write(SEEDS / name, tone, 8000, format=kind, subtype=subtype)
    long = 0.5 * np.sin(np.arange(6000)[:, None] * [0.05, 0.08])
    for name, content in mp3_kinds(long).items():
        (SEEDS / name).write_bytes(content)
    header = "song_id,title,language,genre,audio_path,lyrics_path,has_lyrics,tempo\n"
    rows = ['en_0001,"A, ""quoted""\ntitle",english,rock,audio/english/rock/en_0001.wav,'
            "processed_lyrics/english/en_0001.txt,true,120\r\n",
            "bn_0002,গান,bangla,adhunik,audio/bangla/adhunik/bn_0002.flac,,false,\n"]
    (SEEDS / "manifest.csv").write_text("\ufeff" + header + "".join(rows), encoding="utf-8", newline="")


if __name__ == "__main__":
    main()
