"""The works in JAX: everything jitted, including random numbers, with the state of each step donated."""

from __future__ import annotations

from functools import partial
from typing import Callable

import jax
import jax.numpy as jnp

from peers.presets import ADAM_SIDE, ADAM_TENSORS, EULER_STEPS, POINTS, PRESETS, Preset

version = jax.__version__


def start(threads: int) -> None:
    """The number of threads is that of the cores this process may use."""


def finish(result: object) -> None:
    jax.block_until_ready(result)


def annulus(key: jax.Array, n: int) -> jax.Array:
    u = jax.random.uniform(key, (2, n))
    angle, radius = 2 * jnp.pi * u[0], 2 + u[1]
    return jnp.stack((radius * jnp.cos(angle), radius * jnp.sin(angle)), 1)


def checkerboard(key: jax.Array, n: int) -> jax.Array:
    u = jax.random.uniform(key, (3, n))
    x = u[0] * 4 - 2
    y = u[1] - jnp.where(u[2] < 0.5, 0, 2) + jnp.floor(x) % 2
    return jnp.stack((x, y), 1) / 0.45


def initial_layers(preset: Preset) -> list:
    widths = (1 + 2 * len(preset.frequencies) + 2, *preset.hidden, 2)
    layers = []
    for i, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
        bound = inputs**-0.5
        weight, bias = jax.random.split(jax.random.key(i))
        layers.append((jax.random.uniform(weight, (inputs, outputs), minval=-bound, maxval=bound),
                       jax.random.uniform(bias, (outputs,), minval=-bound, maxval=bound)))
    return layers


def velocity(preset: Preset, layers: list, x: jax.Array, t: jax.Array) -> jax.Array:
    activation = {"elu": jax.nn.elu, "silu": jax.nn.silu}[preset.activation]
    angle = t * (jnp.pi * jnp.array(preset.frequencies, jnp.float32))
    y = jnp.concatenate((t, jnp.sin(angle), jnp.cos(angle), x), 1)
    for weight, bias in layers[:-1]:
        y = activation(y @ weight + bias)
    weight, bias = layers[-1]
    return y @ weight + bias


def loss(preset: Preset, batch: int, layers: list, key: jax.Array) -> jax.Array:
    data, noise, times = jax.random.split(key, 3)
    x_1 = {"annulus": annulus, "checkerboard": checkerboard}[preset.data](data, batch)
    x_0 = jax.random.normal(noise, x_1.shape)
    t = jax.random.uniform(times, (batch, 1))
    if preset.late_times:
        t = 1 - t**2
    x_t = (1 - t) * x_0 + t * x_1
    return jnp.mean((velocity(preset, layers, x_t, t) - (x_1 - x_0))**2)


def adam(parameters: list, gradients: list, m: list, v: list, count: jax.Array, learning_rate: float) -> tuple:
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, gradients)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, gradients)
    rate, root = learning_rate / (1 - 0.9**count), 1 / jnp.sqrt(1 - 0.999**count)
    parameters = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) * root + 1e-8), parameters, m, v)
    return parameters, m, v


def average(averages: list, parameters: list, decay: float) -> list:
    return jax.tree.map(lambda a, p: decay * a + (1 - decay) * p, averages, parameters)


def step(preset: Preset, batch: int, state: dict) -> dict:
    key, here = jax.random.split(state["key"])
    gradients = jax.grad(partial(loss, preset, batch))(state["layers"], here)
    if preset.clip:
        norm = jnp.sqrt(sum(jnp.sum(g * g) for g in jax.tree.leaves(gradients)))
        gradients = jax.tree.map(lambda g: g * jnp.minimum(1, preset.clip / norm), gradients)
    count = state["count"] + 1
    layers, m, v = adam(state["layers"], gradients, state["m"], state["v"], count, preset.learning_rate)
    new = {"key": key, "count": count, "layers": layers, "m": m, "v": v}
    if preset.ema:
        new["averages"] = average(state["averages"], layers, preset.ema)
    return new


def copy(tree: list) -> list:
    """Arrays of their own: one that is donated twice in a call is an error."""
    return jax.tree.map(jnp.copy, tree)


def repeated(function: Callable, state: object) -> Callable:
    """Calls that each start from what the last one returned, in the same memory."""
    compiled = jax.jit(function, donate_argnums=0)

    def call() -> object:
        nonlocal state
        state = compiled(state)
        return state
    return call


def training(preset: Preset, batch: int) -> Callable:
    layers = initial_layers(preset)
    zeros = jax.tree.map(jnp.zeros_like, layers)
    state = {"key": jax.random.key(0), "count": jnp.zeros(()), "layers": layers, "m": zeros, "v": copy(zeros)}
    if preset.ema:
        state["averages"] = copy(layers)
    return repeated(partial(step, preset, batch), state)


def training_step(name: str) -> Callable:
    return training(PRESETS[name], PRESETS[name].batch)


def training_step_of_one(name: str) -> Callable:
    return training(PRESETS[name], 1)


def sampling(name: str) -> Callable:
    preset = PRESETS[name]

    @jax.jit
    def sample(layers: list, key: jax.Array) -> jax.Array:
        def euler(i: jax.Array, x: jax.Array) -> jax.Array:
            t = jnp.full((POINTS, 1), i / EULER_STEPS)
            return x + velocity(preset, layers, x, t) / EULER_STEPS
        return jax.lax.fori_loop(0, EULER_STEPS, euler, jax.random.normal(key, (POINTS, 2)))

    layers, key = initial_layers(preset), jax.random.key(0)
    return lambda: sample(layers, key)


def matmul(sizes: str) -> Callable:
    m, n, k = map(int, sizes.split("x"))
    a, b = jax.random.normal(jax.random.key(0), (m, k)), jax.random.normal(jax.random.key(1), (k, n))
    multiply = jax.jit(jnp.matmul)
    return lambda: multiply(a, b)


def attention_parts(sizes: str) -> tuple[list[jax.Array], Callable]:
    images, places, channels, heads = map(int, sizes.split("x"))
    inputs = [jax.random.normal(jax.random.key(i), (images, places, channels)) for i in range(3)]

    def forward(*inputs: jax.Array) -> jax.Array:
        q, k, v = (x.reshape(images, places, heads, channels // heads) for x in inputs)
        return jax.nn.dot_product_attention(q, k, v).reshape(images, places, channels)
    return inputs, forward


def attention(sizes: str) -> Callable:
    inputs, forward = attention_parts(sizes)
    compiled = jax.jit(forward)
    return lambda: compiled(*inputs)


def attention_step(sizes: str) -> Callable:
    inputs, forward = attention_parts(sizes)
    gy = jax.random.normal(jax.random.key(3), inputs[0].shape)

    @jax.jit
    def step(inputs: list[jax.Array], gy: jax.Array) -> tuple[jax.Array, tuple[jax.Array, ...]]:
        y, gradients = jax.vjp(forward, *inputs)
        return y, gradients(gy)
    return lambda: step(inputs, gy)


def elementwise(op: Callable) -> Callable:
    def make(sizes: str) -> Callable:
        x = jax.random.normal(jax.random.key(0), tuple(map(int, sizes.split("x"))))
        compiled = jax.jit(op)
        return lambda: compiled(x)
    return make


def numbers(draw: Callable) -> Callable:
    def make(count: str) -> Callable:
        compiled, key = jax.jit(partial(draw, shape=(int(count),))), jax.random.key(0)
        return lambda: compiled(key)
    return make


def adam_ema(_: str) -> Callable:
    keys = jax.random.split(jax.random.key(0), ADAM_TENSORS)
    parameters = [jax.random.normal(key, (ADAM_SIDE, ADAM_SIDE)) for key in keys]
    gradients = copy(parameters)

    def update(state: tuple) -> tuple:
        count, parameters, m, v, averages = state
        parameters, m, v = adam(parameters, gradients, m, v, count + 1, 1e-3)
        return count + 1, parameters, m, v, average(averages, parameters, 0.99)

    zeros = jax.tree.map(jnp.zeros_like, parameters)
    return repeated(update, (jnp.zeros(()), parameters, zeros, copy(zeros), copy(parameters)))


WORKS = {
    "training_step": training_step,
    "training_step_of_one": training_step_of_one,
    "sampling": sampling,
    "matmul": matmul,
    "attention": attention,
    "attention_step": attention_step,
    "silu": elementwise(jax.nn.silu),
    "exp": elementwise(jnp.exp),
    "softmax": elementwise(partial(jax.nn.softmax, axis=1)),
    "rand": numbers(jax.random.uniform),
    "randn": numbers(jax.random.normal),
    "adam_ema": adam_ema,
}
