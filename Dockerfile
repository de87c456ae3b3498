# docker build --tag mock-gitlab .
# docker run --publish 127.0.0.1:8000:8000 --volume "$PWD":/mock:ro mock-gitlab
FROM python:3.13-slim AS build

WORKDIR /source
COPY pyproject.toml README.md LICENSE mock.yaml ./
COPY scenarios/ scenarios/
COPY mock_gitlab/ mock_gitlab/
RUN python -m venv /opt/mock-gitlab \
    && /opt/mock-gitlab/bin/pip install --no-cache-dir --no-compile ".[metrics]"

FROM python:3.13-slim

COPY --from=build /opt/mock-gitlab/ /opt/mock-gitlab/
ENV PATH=/opt/mock-gitlab/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MOCK_HOST=0.0.0.0 \
    MOCK_PORT=8000 \
    MOCK_DATABASE=:memory:
WORKDIR /mock
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s CMD ["mock-gitlab", "health"]
ENTRYPOINT ["mock-gitlab"]
CMD ["serve"]
