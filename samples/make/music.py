"""Makes the soft plucked music of the samples: our own tune in a pentatonic scale, played by
Karplus-Strong strings. Nothing but the standard library.

python3 music.py SEED SECONDS OUT.wav    (44.1 kHz, stereo, 16 bit)
"""

import array
import math
import random
import sys
import wave

RATE = 44_100
# Steps of the scale gong shang jue zhi yu, from G3 up.
SCALE = [0, 2, 4, 7, 9]


def pitch(degree):
    octave, step = divmod(degree, 5)
    return 196.0 * 2 ** (octave + SCALE[step] / 12)


def pluck(frequency, seconds, loudness, noise):
    """One string: a burst of noise that goes round a delay line and loses its brightness."""
    period = max(2, round(RATE / frequency))
    line = [noise.uniform(-1, 1) for _ in range(period)]
    # A softer finger: smooth the burst before it starts.
    for _ in range(3):
        line = [(line[i] + line[i - 1]) / 2 for i in range(period)]
    out = []
    decay = 0.996 if frequency < 300 else 0.9945
    for i in range(int(seconds * RATE)):
        j = i % period
        value = line[j]
        line[j] = decay * (value + line[(j + 1) % period]) / 2
        out.append(value * loudness)
    fade = min(len(out), RATE // 5)
    for i in range(fade):
        out[-1 - i] *= i / fade
    return out


def tune(seed, seconds):
    """(start in seconds, degree, loudness, side -1..1): phrases of four bars that come to rest."""
    noise = random.Random(seed)
    beat, now, degree = 0.62, 0.6, 5
    phrase = 0
    while now < seconds - 5:
        for bar in range(4):
            root = [0, 3, 1, 0][bar] if phrase % 2 == 0 else [0, 2, 3, 0][bar]
            yield now, root, 0.55, -0.4
            yield now + beat, root + 5, 0.28, -0.2
            rhythm = noise.choice([[1, 1, 1, 1], [2, 1, 1], [1, 1, 2], [2, 2], [1.5, 0.5, 2]])
            at = now
            for length in rhythm:
                if bar == 3 and at > now:
                    break
                degree += noise.choice([-2, -1, -1, 1, 1, 2])
                degree = max(4, min(12, degree))
                if bar == 3:
                    degree = 5
                yield at, degree, 0.5, 0.35
                at += length * beat
            now += 4 * beat
            if now >= seconds - 5:
                break
        phrase += 1
        now += beat
    yield now, 0, 0.5, -0.3
    yield now + 0.08, 5, 0.45, 0.3


def main():
    seed, seconds, path = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
    noise = random.Random(seed + 1)
    total = int(seconds * RATE)
    left, right = [0.0] * total, [0.0] * total
    for start, degree, loudness, side in tune(seed, seconds):
        string = pluck(pitch(degree), 3.2, loudness, noise)
        angle = (side + 1) * math.pi / 4
        to_left, to_right = math.cos(angle), math.sin(angle)
        at = int((start + noise.uniform(0, 0.015)) * RATE)
        for i, value in enumerate(string):
            if at + i >= total:
                break
            left[at + i] += value * to_left
            right[at + i] += value * to_right
    # A small room: two quiet echoes across the sides.
    for delay, amount in ((0.083, 0.22), (0.171, 0.13)):
        shift = int(delay * RATE)
        for i in range(total - 1, shift, -1):
            left[i] += right[i - shift] * amount
            right[i] += left[i - shift] * amount
    loudest = max(max(map(abs, left)), max(map(abs, right)), 1e-9)
    samples = array.array("h")
    for a, b in zip(left, right):
        samples.append(int(a / loudest * 20_000))
        samples.append(int(b / loudest * 20_000))
    with wave.open(path, "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(samples.tobytes())


main()
