# alharness with all that `alharness[all]` brings: see docs/how-to/install.md.
ARG PYTHON=3.12

FROM python:${PYTHON}-slim AS wheels
WORKDIR /source
COPY . .
RUN pip install --no-cache-dir -r requirements/build.txt \
    && pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /dist . \
        $(find plugins -name pyproject.toml -printf '%h\n')

FROM python:${PYTHON}-slim
# The address of an index with another build of torch, such as the one for CPUs alone. Empty: what pip finds by itself.
ARG TORCH_INDEX=
RUN --mount=type=bind,from=wheels,source=/dist,target=/dist \
    --mount=type=bind,source=requirements/constraints.txt,target=/constraints.txt \
    pip install --no-cache-dir -c /constraints.txt ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} torch \
    && pip install --no-cache-dir -c /constraints.txt --find-links /dist 'alharness[all]'
# Whoever runs it, by --user, may have no name and no folder here: libraries look for both.
ENV HOME=/home/user LOGNAME=user MPLCONFIGDIR=/tmp/matplotlib
RUN useradd --create-home user && mkdir /work && chmod a+rwx /home/user /work
USER user
WORKDIR /work
ENTRYPOINT ["alharness"]
CMD ["--help"]
