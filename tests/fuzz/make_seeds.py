#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the small files under tests/fuzz/seeds from which the fuzz programs start; run through tools/reference_env.sh.

Made with soundfile 0.14.0 (libsndfile 1.2.2).
"""
import pathlib

import numpy as np
import soundfile

SEEDS = pathlib.Path(__file__).resolve().parent / "seeds"
FORMATS = {
    "pcm16.wav": ("WAV", "PCM_16"), "pcm24.wav": ("WAV", "PCM_24"), "u8.wav": ("WAV", "PCM_U8"),
    "float.wav": ("WAV", "FLOAT"), "double.wav": ("WAV", "DOUBLE"), "extensible.wav": ("WAVEX", "PCM_16"),
    "ulaw.wav": ("WAV", "ULAW"), "adpcm.wav": ("WAV", "IMA_ADPCM"), "rf64.wav": ("RF64", "PCM_16"),
    "pcm16.flac": ("FLAC", "PCM_16"), "pcm24.flac": ("FLAC", "PCM_24"), "layer3.mp3": ("MP3", "MPEG_LAYER_III"),
    "vorbis.ogg": ("OGG", "VORBIS"), "pcm16.aiff": ("AIFF", "PCM_16"),
}


def main():
    SEEDS.mkdir(exist_ok=True)
    time = np.arange(400) / 8000
    tone = 0.5 * np.stack([np.sin(2 * np.pi * 440 * time), np.sin(2 * np.pi * 660 * time)], axis=1)
    for name, (kind, subtype) in FORMATS.items():
        soundfile.write(SEEDS / name, tone, 8000, format=kind, subtype=subtype)
    header = "song_id,title,language,genre,audio_path,lyrics_path,has_lyrics,tempo\n"
    rows = ['en_0001,"A, ""quoted""\ntitle",english,rock,audio/english/rock/en_0001.wav,'
            "processed_lyrics/english/en_0001.txt,true,120\r\n",
            "bn_0002,গান,bangla,adhunik,audio/bangla/adhunik/bn_0002.flac,,false,\n"]
    (SEEDS / "manifest.csv").write_text("\ufeff" + header + "".join(rows), encoding="utf-8", newline="")


if __name__ == "__main__":
    main()
