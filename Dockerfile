# Two stages: the compiler stays behind. PostgreSQL and Redis are services of their own (docker-compose.yml), so the
# optional embedded PostgreSQL is left out: without DATABASE_URL the container says so and ends.

FROM node:20-slim AS build
WORKDIR /app
COPY . .
# The pages need 240 MB of tools of their own: they are made here, and only what they make goes on.
RUN npm ci --ignore-scripts && npm run build && npm run build:web

FROM node:20-slim
RUN apt-get update \
  && apt-get install -y --no-install-recommends git ca-certificates openssh-client gpg gpg-agent \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0 PORT=4000 SLUICE_DATA_DIR=/var/lib/sluice
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional --workspaces=false --ignore-scripts && npm cache clean --force
COPY --from=build /app/dist/src dist/src
COPY --from=build /app/dist/migrations dist/migrations
COPY --from=build /app/web/app/dist web/app/dist
COPY --from=build /app/web/elements/dist web/elements/dist
COPY --from=build /app/web/graphiql/dist web/graphiql/dist
RUN install -d -o node -g node /var/lib/sluice
USER node
VOLUME /var/lib/sluice
EXPOSE 4000
# Node itself asks: the slim image has neither curl nor wget. A worker answers /healthz as well.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/src/main.js"]
CMD ["serve"]
